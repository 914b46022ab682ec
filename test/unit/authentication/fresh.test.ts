import { describe, expect, it } from "vitest";
import { isFresh, stepUpRequired } from "../../../src/core/authentication/index.ts";
import type { UserPrincipal } from "../../../src/core/authentication/principal.ts";
import { now, sessionId, userId } from "./fixtures.ts";

const user: UserPrincipal = {
  kind: "user",
  userId,
  sessionId,
  authTime: now - 60,
  amr: ["pwd"],
  acr: "urn:authkit:loa:1",
  mfaEnrolled: false,
  enrollment: false,
  entitlements: null,
  claims: {},
};
const rule = { now, skew: 5 };

describe("fresh authentication", () => {
  it.each<[string, Partial<UserPrincipal>, object, boolean]>([
    ["recent", {}, {}, true],
    ["exactly 15 minutes old", { authTime: now - 900 }, {}, true],
    ["older", { authTime: now - 901 }, {}, false],
    ["without auth_time", { authTime: undefined }, {}, false],
    ["a clock slightly ahead", { authTime: now + 5 }, {}, true],
    ["a future auth_time", { authTime: now + 6 }, {}, false],
    ["enrolled with a password alone", { mfaEnrolled: true }, {}, false],
    ["enrolled with a code", { mfaEnrolled: true, amr: ["pwd", "otp"] }, {}, true],
    ["enrolled with a passkey", { mfaEnrolled: true, amr: ["swk", "mfa"] }, {}, true],
    ["an old code", { mfaEnrolled: true, amr: ["otp"], authTime: now - 3600 }, {}, false],
    ["an enrolment token", { enrollment: true }, {}, false],
    ["a method asked for", {}, { amr: ["pwd"] }, true],
    ["a method not used", {}, { amr: ["pwd", "otp"] }, false],
    ["level 1 where 1 is asked", {}, { acr: "urn:authkit:loa:1" }, true],
    ["level 2 where 1 is asked", { acr: "urn:authkit:loa:2" }, { acr: "urn:authkit:loa:1" }, true],
    ["level 1 where 2 is asked", {}, { acr: "urn:authkit:loa:2" }, false],
    ["no level where 1 is asked", { acr: undefined }, { acr: "urn:authkit:loa:1" }, false],
    ["an unknown level", {}, { acr: "urn:other" }, false],
    ["a shorter window", {}, { maxAge: 30 }, false],
  ])("%s", (_, changes, extra, expected) => {
    expect(isFresh({ ...user, ...changes }, { ...rule, ...extra })).toBe(expected);
  });

  it("is for users only", () => {
    expect(isFresh(undefined, rule)).toBe(false);
    const key = {
      kind: "api_key",
      keyId: "k",
      role: "r",
      permissions: [],
      persona: "p",
      instanceSlug: "",
    } as const;
    expect(isFresh(key, rule)).toBe(false);
  });

  it("refuses with what the caller can do", () => {
    expect(stepUpRequired({ methods: ["password", "2fa"], mfaRequired: true }).metadata).toEqual({
      max_age_seconds: 900,
      mfa_required: true,
      step_up_methods: ["password", "2fa"],
    });
    expect(
      stepUpRequired({ methods: [], requiredAmr: ["otp"], requiredAcr: "urn:authkit:loa:2" }).metadata,
    ).toEqual({
      max_age_seconds: 900,
      step_up_methods: [],
      required_amr: ["otp"],
      required_acr: "urn:authkit:loa:2",
    });
  });
});
