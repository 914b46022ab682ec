import { describe, expect, test } from "vitest";
import { hashBackupCode, newBackupCodes } from "../../../src/core/mfa/backup-codes.ts";
import { matchingStep, newTotpSecret, otpauthUri, totpCode } from "../../../src/core/mfa/totp.ts";
import { createTotpCipher } from "../../../src/core/mfa/totp-cipher.ts";
import { systemRandom } from "../../../src/platform/random.ts";

const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

describe("TOTP", () => {
  test.each([
    [59, 1, "287082"],
    [1111111109, 37037036, "081804"],
    [1234567890, 41152263, "005924"],
    [1767225600, 58907520, "745690"],
  ])("at %d the step is %d and the code %s", (time, step, code) => {
    expect(totpCode(secret, step)).toBe(code);
    expect(matchingStep(secret, code, time)).toBe(step);
    expect(matchingStep(secret, code, time + 30)).toBe(step);
    expect(matchingStep(secret, code, time - 30)).toBe(step);
    expect(matchingStep(secret, code, time + 61)).toBeUndefined();
  });

  test("reads the secret whatever its case, and only six ASCII digits as a code", () => {
    expect(matchingStep(` ${secret.toLowerCase()} `, "287082", 59)).toBe(1);
    for (const code of ["", "28708", "2870822", "28708a", "٢٨٧٠٨٢", "287082 "])
      expect(matchingStep(secret, code, 59)).toBeUndefined();
  });

  test("makes secrets of 160 bits that never repeat", () => {
    const secrets = Array.from({ length: 50 }, () => newTotpSecret(systemRandom));
    for (const made of secrets) expect(made).toMatch(/^[A-Z2-7]{32}$/);
    expect(new Set(secrets).size).toBe(50);
  });

  test("the URI has a label that authenticators can split", () => {
    expect(otpauthUri(secret, "auth.example.com", "a+b@example.com")).toBe(
      `otpauth://totp/auth.example.com:a%2Bb%40example.com?algorithm=SHA1&digits=6&issuer=auth.example.com&period=30&secret=${secret}`,
    );
    expect(otpauthUri(secret, "My: Shop", "x")).toContain("totp/My%20%20Shop:x?");
  });
});

describe("stored secrets", () => {
  const key = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
  const cipher = createTotpCipher(key, systemRandom);
  const user = "019f0000-0000-7000-8000-0000000000aa";
  const foreign =
    "01000102030405060708090a0b00478c5f82ab804dca18a4dfe0a6323cc493dd70b7351d2a7f3ed6d14c264ae3661dceb27360293e808c5682ec2f9310";

  test("of earlier servers can be opened", () => {
    expect(cipher.open(Buffer.from(foreign, "hex"), user)).toBe(secret);
  });

  test("are bound to their account", () => {
    const sealed = cipher.seal(secret, user);
    expect(sealed[0]).toBe(2);
    expect(cipher.open(sealed, user)).toBe(secret);
    expect(cipher.open(sealed, "019f0000-0000-7000-8000-0000000000ab")).toBeUndefined();
  });

  test("damaged in any byte open for nobody", () => {
    const sealed = cipher.seal(secret, user);
    for (let index = 0; index < sealed.length; index++) {
      const damaged = Buffer.from(sealed);
      damaged[index] = (damaged[index] ?? 0) ^ 1;
      expect(cipher.open(damaged, user)).toBeUndefined();
    }
    expect(cipher.open(Buffer.alloc(0), user)).toBeUndefined();
    expect(createTotpCipher(Buffer.alloc(16, 1), systemRandom).open(sealed, user)).toBeUndefined();
  });

  test("of a former key can be opened, and are known as such", () => {
    const older = createTotpCipher(Buffer.alloc(16, 1), systemRandom);
    const newer = createTotpCipher(Buffer.alloc(32, 2), systemRandom, [
      Buffer.alloc(24, 3),
      Buffer.alloc(16, 1),
    ]);
    const sealed = older.seal(secret, user);
    expect([newer.open(sealed, user), newer.isOutdated(sealed, user)]).toEqual([secret, true]);
    expect(newer.isOutdated(newer.seal(secret, user), user)).toBe(false);
    expect(older.open(newer.seal(secret, user), user)).toBeUndefined();
  });

  test("work with every length of key", () => {
    for (const length of [16, 24, 32]) {
      const sized = createTotpCipher(Buffer.alloc(length, 9), systemRandom);
      expect(sized.open(sized.seal(secret, user), user)).toBe(secret);
    }
  });
});

describe("backup codes", () => {
  test("come as ten distinct codes without letters people mix up", () => {
    for (let round = 0; round < 20; round++) {
      const codes = newBackupCodes(systemRandom);
      expect(new Set(codes).size).toBe(10);
      for (const code of codes) expect(code).toMatch(/^[A-HJ-NP-Z2-9]{8}$/);
    }
  });

  test("are stored as existing databases hold them; case and separators are forgiven", () => {
    // sha256("K7QX2M9P")
    const stored = hashBackupCode("K7QX2M9P");
    expect(stored).toMatch(/^[0-9a-f]{64}$/);
    expect(hashBackupCode(" k7qx-2m9p ")).toBe(stored);
    expect(hashBackupCode("K7QX2M9Q")).not.toBe(stored);
  });
});
