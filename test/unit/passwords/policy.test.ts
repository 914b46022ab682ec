import { describe, expect, it } from "vitest";
import type { BreachedPasswords } from "../../../src/core/breached-passwords/types.ts";
import { createPasswordPolicy, isMadeOf } from "../../../src/core/passwords/policy.ts";
import { testConfig } from "../../support/config.ts";

const lists: BreachedPasswords = {
  find: (password) =>
    password === "password1" ? "common" : password === "leaked passphrase" ? "breached" : undefined,
};

function verdict(password: string, settings: object = {}, about: object = {}): string {
  const check = createPasswordPolicy({ ...testConfig().passwords, ...settings }, lists);
  try {
    check(password, about);
    return "ok";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "crash";
  }
}

describe("the policy for new passwords", () => {
  it.each([
    ["1234567", "password_too_short"],
    ["12345678", "ok"],
    ["        ", "ok"],
    ["日本語", "ok"],
    ["日本", "password_too_short"],
    ["éééé", "ok"],
    ["", "password_too_short"],
    ["x".repeat(64), "ok"],
    ["x".repeat(1024), "ok"],
    ["x".repeat(1025), "invalid_request"],
    ["é".repeat(513), "invalid_request"],
    ["\0".repeat(8), "ok"],
    ["password1", "ok"],
  ])("%j → %s by default: 8 to 1024 bytes, nothing else", (password, expected) => {
    expect(verdict(password)).toBe(expected);
  });

  it("counts characters when more than the least is asked for", () => {
    const settings = { minLength: 15 };
    expect(verdict("x".repeat(14), settings)).toBe("password_too_short");
    expect(verdict("x".repeat(15), settings)).toBe("ok");
    expect(verdict("日".repeat(14), settings)).toBe("password_too_short");
    expect(verdict("😀".repeat(15), settings)).toBe("ok");
    expect(verdict("日本", { minLength: 2 })).toBe("password_too_short");
  });

  it("refuses what is on a list, where asked to", () => {
    const settings = { breachedCheck: true };
    expect(verdict("password1", settings)).toBe("password_too_common");
    expect(verdict("leaked passphrase", settings)).toBe("password_breached");
    expect(verdict("neither of them", settings)).toBe("ok");
  });

  it("refuses little else than the deployment's words, always, and the owner's names, where asked to", () => {
    const settings = { contextWords: ["Acme", "Widget"] };
    expect(verdict("acme2026!", settings)).toBe("password_too_common");
    expect(verdict("ACME-widget-1", settings)).toBe("password_too_common");
    expect(verdict("acme correct horse", settings)).toBe("ok");
    const about = { email: "anna.smith@example.com", username: "smitty" };
    expect(verdict("annasmith1", {}, about)).toBe("ok");
    const strict = { breachedCheck: true };
    expect(verdict("annasmith1", strict, about)).toBe("password_too_common");
    expect(verdict("Smitty!!99", strict, about)).toBe("password_too_common");
    expect(verdict("example#2026", strict, about)).toBe("password_too_common");
    expect(verdict("anna.smith@example.com", strict, about)).toBe("password_too_common");
    expect(verdict("smitty rides a bicycle", strict, about)).toBe("ok");
    expect(verdict("anything else", strict, { email: null, username: null })).toBe("ok");
  });

  it("does not mistake short or punctuation-only words for context", () => {
    expect(isMadeOf("abcdefgh", ["abc", "", "--"])).toBe(false);
    expect(isMadeOf("........", ["acme"])).toBe(false);
    expect(isMadeOf("!acme!acme!", ["acme"])).toBe(true);
  });
});
