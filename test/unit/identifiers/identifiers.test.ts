import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import {
  acceptedLanguages,
  isEmail,
  isNewEmail,
  isSlug,
  loginIdentifier,
  negotiateLanguage,
  normalizePhone,
  parseLanguage,
  parseNewEmail,
  parseNewPhone,
  parseUserId,
  parseUsername,
  passwordlessIdentifier,
  randomUsername,
  registrationIdentifier,
  safeReturnTo,
  usernameBase,
  usernameCandidates,
} from "../../../src/core/identifiers/index.ts";
import { systemRandom } from "../../../src/platform/random.ts";

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (isAuthError(error)) return error.code;
    throw error;
  }
  return undefined;
}

describe("e-mail", () => {
  it("trims and lower-cases", () => {
    expect(parseNewEmail("  A@B.co ")).toBe("a@b.co");
    expect(parseNewEmail("Ü@EXÄMPLE.de")).toBe("ü@exämple.de");
  });

  it.each(["", "a@b", "a@.b.c", "a@b.c.", "a@@b.c", "@b.co", "a@", "a b@c.de", "a@b@c.de"])(
    "refuses %j",
    (text) => {
      expect(isEmail(text)).toBe(false);
      expect(codeOf(() => parseNewEmail(text))).toBe("invalid_email");
    },
  );

  it.each([
    "a@b..c",
    `${"a".repeat(65)}@b.co`,
    `a@${"b".repeat(64)}.co`,
    `a@${"b.".repeat(126)}co`,
    "a\u202e@b.co",
    "a\u0000@b.co",
    "<a@b.co",
    '"a"@b.co',
    "a,b@c.de",
    "a\u00a0b@c.de",
  ])("admits %j at login but not as a new address", (text) => {
    expect(isEmail(text)).toBe(true);
    expect(isNewEmail(text)).toBe(false);
  });
});

describe("phone", () => {
  it("drops what people write between digits", () => {
    expect(parseNewPhone(" +1 (555) 010-23.45 ")).toBe("+15550102345");
    expect(normalizePhone("0049 30")).toBe("004930");
  });

  it.each(["", "+", "+0123", "15550100", "+1", "+1234567890123456", "+12a4", "004930123"])(
    "refuses %j",
    (text) => {
      expect(codeOf(() => parseNewPhone(text))).toBe("invalid_phone_number");
    },
  );

  it("takes 3 to 16 characters", () => {
    expect(parseNewPhone("+12")).toBe("+12");
    expect(parseNewPhone("+123456789012345")).toBe("+123456789012345");
  });
});

describe("username", () => {
  it.each([
    ["abc", "username_too_short"],
    ["a".repeat(31), "username_too_long"],
    ["1abc", "username_must_start_with_letter"],
    ["+abc", "username_must_start_with_letter"],
    ["a@bc", "username_cannot_contain_at"],
    ["a-bc", "username_invalid_characters"],
    ["abcé", "username_invalid_characters"],
    ["Root", "username_not_allowed"],
  ])("%s → %s", (text, code) => {
    expect(codeOf(() => parseUsername(text, "interactive", ["root"]))).toBe(code);
  });

  it("counts bytes, keeps the case and trims", () => {
    expect(parseUsername("  Alice_1 ", "interactive")).toBe("Alice_1");
    expect(codeOf(() => parseUsername(`a${"é".repeat(15)}`, "interactive"))).toBe("username_too_long");
  });

  it("gives operators dashes and 64 bytes", () => {
    expect(parseUsername(`a-${"b".repeat(62)}`, "operator")).toHaveLength(64);
    expect(parseUsername("root", "operator")).toBe("root");
    expect(codeOf(() => parseUsername("b".repeat(65), "operator"))).toBe("username_too_long");
  });
});

describe("derived username", () => {
  it.each([
    [{ preferred: "Ann.Lee", email: "x@y.z" }, "annlee"],
    [{ preferred: " ", email: "J.Doe+tag@y.z" }, "jdoetag"],
    [{ email: "jo@y.z" }, "jo_user"],
    [{ displayName: "李雷", provider: "google" }, "user"],
    [{ provider: "google" }, "google_user"],
    [{ phone: "+0015550100" }, "u15550100"],
    [{ preferred: "42cats" }, "u42cats"],
    [{ preferred: "_dash" }, "u_dash"],
    [{ preferred: "x".repeat(40) }, "x".repeat(30)],
  ])("%j → %s", (source, base) => {
    expect(usernameBase(source)).toBe(base);
  });

  it("always makes names that the interactive rule accepts", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (preferred, email) => {
        const base = usernameBase({ preferred, email });
        const candidates = usernameCandidates(base);
        expect(candidates).toHaveLength(1000);
        for (const name of [
          candidates[0],
          candidates[9],
          candidates[999],
          randomUsername(base, systemRandom),
        ])
          expect(parseUsername(name ?? "", "interactive")).toBe(name);
      }),
    );
  });
});

describe("kinds", () => {
  it("routes a login", () => {
    expect(loginIdentifier(" A@b.C ")).toEqual({ kind: "email", value: "a@b.c" });
    expect(loginIdentifier("+1 555 0100")).toEqual({ kind: "phone", value: "+15550100" });
    expect(loginIdentifier(" Alice ")).toEqual({ kind: "username", value: "Alice" });
  });

  it("routes a registration and refuses the rest", () => {
    expect(registrationIdentifier("+15550100")).toEqual({ kind: "phone", value: "+15550100" });
    expect(registrationIdentifier("A@b.co")).toEqual({ kind: "email", value: "a@b.co" });
    expect(codeOf(() => registrationIdentifier("alice"))).toBe("invalid_identifier");
    expect(codeOf(() => passwordlessIdentifier("alice"))).toBe("invalid_phone_number");
    expect(codeOf(() => passwordlessIdentifier("a@b"))).toBe("invalid_email");
  });
});

describe("language", () => {
  it("normalises a preference and refuses regions", () => {
    expect(parseLanguage(" DE ")).toBe("de");
    expect(codeOf(() => parseLanguage("en-US"))).toBe("invalid_preferred_language");
    expect(codeOf(() => parseLanguage(""))).toBe("invalid_preferred_language");
  });

  it("honours quality values", () => {
    expect(acceptedLanguages("fr;q=0.2, es-MX;q=0.9, de;q=0, en")).toEqual(["en", "es-MX", "fr"]);
    expect(
      negotiateLanguage(
        [undefined, "", "pt", ...acceptedLanguages("es-MX;q=0.5,en;q=0.4")],
        ["en", "es"],
        "en",
      ),
    ).toBe("es");
    expect(negotiateLanguage(["xx"], ["en"], "en")).toBe("en");
  });
});

describe("return_to", () => {
  it.each(["/", "/a/b?c=d#e", "/a//b"])("keeps %j", (text) => expect(safeReturnTo(text)).toBe(text));
  it.each([
    undefined,
    "",
    "a",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil",
    "https://evil.example",
    "/\r\nx",
  ])("drops %j", (text) => expect(safeReturnTo(text)).toBeUndefined());
});

describe("names", () => {
  it("knows slugs of both generations", () => {
    expect(isSlug("acme.example.com")).toBe(true);
    expect(isSlug("acme..com")).toBe(false);
    expect(isSlug("-acme")).toBe(false);
  });

  it("canonicalises user ids", () => {
    expect(parseUserId(" 019F0000-0000-7000-8000-0000000000AA ")).toBe(
      "019f0000-0000-7000-8000-0000000000aa",
    );
    expect(codeOf(() => parseUserId("x"))).toBe("invalid_user");
    expect(codeOf(() => parseUserId(""))).toBe("invalid_user");
  });
});
