import { bool, bytes, everyGeneration, field, nothing, nullable, string } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Passwords. */
export const passwordsMethods = {
  changePassword: method({
    name: "ChangePassword",
    topic: "Passwords",
    generations: everyGeneration,
    args: {
      userId: field("userID", string),
      current: field("current", string),
      new: field("new", string),
      keepSessionId: field("keepSessionID", nullable(string)),
    },
    result: nothing,
    errors: [
      "invalid_credentials",
      "invalid_user",
      "password_breached",
      "password_reset_required",
      "password_too_common",
      "password_too_short",
      "user_not_found",
    ],
    mutates: { kind: "user", args: ["userId"] },
  }),
  upsertPasswordHash: method({
    name: "UpsertPasswordHash",
    topic: "Passwords",
    generations: everyGeneration,
    args: {
      userId: field("userID", string),
      hash: field("hash", string),
      algo: field("algo", string),
      params: field("params", bytes),
    },
    result: nothing,
    errors: ["invalid_hash_params", "invalid_user", "unsupported_hash_algo", "user_not_found"],
    mutates: { kind: "user", args: ["userId"] },
    note: "params must be base64 of a JSON document, or null.",
  }),
  verifyUserPassword: method({
    name: "VerifyUserPassword",
    topic: "Passwords",
    generations: everyGeneration,
    args: { userId: field("userID", string), pass: field("pass", string) },
    result: bool,
    canFail: false,
    note: "Never fails: every problem yields false.",
  }),
};
