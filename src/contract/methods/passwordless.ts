import {
  PasswordlessConfirmResult,
  PasswordlessStartRequest,
  PasswordlessStartResult,
} from "../dtos/passwordless.ts";
import { field, nothing, string } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Passwordless. */
export const passwordlessMethods = {
  clearPasswordlessCodeAttempts: method({
    name: "ClearPasswordlessCodeAttempts",
    topic: "Passwordless",
    generations: ["0.73"],
    args: { identifier: field("identifier", string) },
    result: nothing,
    canFail: false,
    mutates: { kind: "identifier" },
    note: "Never fails after argument decoding; result null.",
  }),
  confirmPasswordlessCode: method({
    name: "ConfirmPasswordlessCode",
    topic: "Passwordless",
    generations: ["0.73"],
    args: { identifier: field("identifier", string), code: field("code", string) },
    result: PasswordlessConfirmResult,
    errors: [
      "account_registration_invite_not_found",
      "invalid_email",
      "invalid_phone_number",
      "invalid_token",
      "user_banned",
    ],
    mutates: { kind: "user", result: "userId" },
  }),
  confirmPasswordlessToken: method({
    name: "ConfirmPasswordlessToken",
    topic: "Passwordless",
    generations: ["0.73"],
    args: { token: field("token", string) },
    result: PasswordlessConfirmResult,
    errors: ["account_registration_invite_not_found", "invalid_token", "user_banned"],
    mutates: { kind: "user", result: "userId" },
  }),
  recordFailedPasswordlessCode: method({
    name: "RecordFailedPasswordlessCode",
    topic: "Passwordless",
    generations: ["0.73"],
    args: { identifier: field("identifier", string) },
    result: nothing,
    canFail: false,
    mutates: { kind: "identifier" },
    note: "Never fails after argument decoding; result null.",
  }),
  startPasswordless: method({
    name: "StartPasswordless",
    topic: "Passwordless",
    generations: ["0.73"],
    args: { req: field("req", PasswordlessStartRequest) },
    result: PasswordlessStartResult,
    errors: [
      "email_delivery_failed",
      "email_sender_unavailable",
      "invalid_email",
      "invalid_phone_number",
      "invalid_preferred_language",
      "invalid_token",
      "passwordless_disabled",
      "sms_delivery_failed",
      "sms_unavailable",
    ],
    mutates: { kind: "identifier" },
    note: "The result carries the plaintext code and link.",
  }),
};
