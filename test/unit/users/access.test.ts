import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mfaEnrolled, mfaGate } from "../../../src/core/mfa/states.ts";
import { type AccessState, decideAccess } from "../../../src/core/users/access.ts";
import { cutBiography } from "../../../src/core/users/profile.ts";

const now = new Date("2026-06-26T12:00:00Z");
const past = new Date(now.getTime() - 1);
const future = new Date(now.getTime() + 1);
const clean: AccessState = {
  deletedAt: null,
  reserved: false,
  bannedAt: null,
  bannedUntil: null,
  banReason: null,
  bannedBy: null,
};

describe("the access gate", () => {
  it.each<[Partial<AccessState>, string]>([
    [{}, "admitted"],
    [{ bannedAt: past }, "refused"],
    [{ banReason: "" }, "refused"],
    [{ bannedBy: "x" }, "refused"],
    [{ bannedUntil: future }, "refused"],
    [{ bannedAt: past, bannedUntil: now, banReason: "x", bannedBy: "x" }, "ban_lapsed"],
    [{ bannedUntil: past, deletedAt: past }, "refused"],
    [{ bannedUntil: past, reserved: true }, "refused"],
    [{ deletedAt: future }, "refused"],
  ])("%j → %s", (state, decision) => {
    expect(decideAccess({ ...clean, ...state }, now)).toBe(decision);
  });
});

describe("the second-factor gate", () => {
  const none = { enabled: false, factors: 0, roleDemandsMfa: false };
  it.each([
    ["disabled", { enabled: true, factors: 1, roleDemandsMfa: true }, ["pwd"], "pass"],
    ["optional", none, ["pwd"], "pass"],
    ["optional", { ...none, roleDemandsMfa: true }, ["swk", "mfa"], "enroll"],
    ["optional", { ...none, enabled: true }, ["pwd", "mfa"], "enroll"],
    ["optional", { ...none, enabled: true, factors: 1 }, ["pwd", "otp"], "second_factor"],
    ["optional", { ...none, enabled: true, factors: 1 }, ["pwd", "otp", "mfa"], "pass"],
    ["required", none, ["swk", "mfa"], "enroll"],
  ] as const)("%s %j %j → %s", (mode, summary, methods, gate) => {
    expect(mfaGate(mode, summary, methods)).toBe(gate);
  });

  it("takes a passkey for the required factor where the deployment does, and nothing else", () => {
    const gate = (methods: readonly string[], summary: Parameters<typeof mfaGate>[1] = none) =>
      mfaGate("required", summary, methods, true);
    expect(gate(["swk", "mfa"])).toBe("pass");
    expect(gate(["swk", "mfa"], { ...none, roleDemandsMfa: true })).toBe("enroll");
    expect(gate(["swk"])).toBe("enroll");
    // A second factor that was removed since: the session rested on it as well.
    expect(gate(["swk", "otp", "mfa"])).toBe("enroll");
    expect(gate(["pwd", "otp", "mfa"])).toBe("enroll");
  });

  it("says enrolled only where a factor could be proven", () => {
    expect(mfaEnrolled("optional", { enabled: true, factors: 1 })).toBe(true);
    expect(mfaEnrolled("optional", { enabled: true, factors: 0 })).toBe(false);
    expect(mfaEnrolled("disabled", { enabled: true, factors: 1 })).toBe(false);
  });
});

describe("biographies", () => {
  it("are cut at 2000 code points and stay well formed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2200, minLength: 1900 }), (text) => {
        const cut = cutBiography(text);
        expect([...cut].length).toBeLessThanOrEqual(2000);
        expect(cut.isWellFormed()).toBe(true);
        expect(text.trim().startsWith(cut)).toBe(true);
      }),
    );
  });
});
