import { Session } from "../dtos/sessions.ts";
import { everyGeneration, field, ip, list, nothing, nullable, several, string, time } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Sessions. */
export const sessionsMethods = {
  exchangeRefreshToken: method({
    name: "ExchangeRefreshToken",
    topic: "Sessions",
    generations: ["0.73"],
    args: { refreshToken: field("refreshToken", string), ua: field("ua", string), ip: field("ip", ip) },
    result: several({ accessToken: string, expiresAt: time, refreshToken: string }),
    errors: [
      "2fa_enrollment_required",
      "invalid refresh token",
      "missing_signer",
      "refresh token reuse detected",
      "user_banned",
      "user_disabled",
    ],
    mutates: { kind: "session" },
    note: "r0 access token, r1 access-token expiry, r2 new refresh token. ip: empty string = none.",
  }),
  listUserSessions: method({
    name: "ListUserSessions",
    topic: "Sessions",
    generations: everyGeneration,
    args: { userId: field("userID", string) },
    result: nullable(list(Session)),
    errors: ["invalid_user"],
  }),
  revokeAllSessions: method({
    name: "RevokeAllSessions",
    topic: "Sessions",
    generations: everyGeneration,
    args: { userId: field("userID", string), keepSessionId: field("keepSessionID", nullable(string)) },
    result: nothing,
    errors: ["invalid_user"],
    mutates: { kind: "user", args: ["userId"] },
  }),
};
