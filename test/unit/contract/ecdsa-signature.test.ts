import { generateKeyPairSync, sign, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { derSignature, joseSignature } from "../../../src/contract/codec/ecdsa-signature.ts";

const curves = [
  { namedCurve: "P-256", digest: "sha256", length: 64 },
  { namedCurve: "P-384", digest: "sha384", length: 96 },
  { namedCurve: "P-521", digest: "sha512", length: 132 },
];

describe.each(curves)("ECDSA signatures of $namedCurve", ({ namedCurve, digest, length }) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  const raw = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;

  test("are the library's own in either form", () => {
    for (let n = 0; n < 300; n++) {
      const data = Buffer.from(`message ${n}`);
      const jose = sign(digest, data, raw);
      expect(jose).toHaveLength(length);
      expect(verify(digest, data, publicKey, derSignature(jose))).toBe(true);
      const made = joseSignature(sign(digest, data, privateKey), length);
      expect(verify(digest, data, { key: publicKey, dsaEncoding: "ieee-p1363" }, made)).toBe(true);
    }
  });

  test("there and back, whatever numbers they are", () => {
    const number = fc.oneof(
      fc.uint8Array({ minLength: length / 2, maxLength: length / 2 }),
      // Short ones, with zeros before them, and those whose first bit is set.
      fc
        .uint8Array({ maxLength: length / 2 })
        .map((bytes) => Buffer.concat([Buffer.alloc(length / 2 - bytes.length), bytes])),
    );
    fc.assert(
      fc.property(number, number, (r, s) => {
        const signature = Buffer.concat([r, s]);
        expect(joseSignature(derSignature(signature), length)).toEqual(signature);
      }),
    );
  });

  test("of zero never verify", () => {
    const good = sign(digest, Buffer.from("m"), raw);
    const zero = Buffer.alloc(length / 2);
    const half = length / 2;
    for (const forged of [
      Buffer.alloc(length),
      Buffer.concat([zero, good.subarray(half)]),
      Buffer.concat([good.subarray(0, half), zero]),
    ])
      expect(verify(digest, Buffer.from("m"), publicKey, derSignature(forged))).toBe(false);
  });
});

test("what is no signature is refused", () => {
  for (const bytes of [
    "",
    "30",
    "3000",
    "3003020100",
    "300602010102",
    "30080203010000020101",
    `3046022100${"ff".repeat(32)}`,
  ])
    expect(() => joseSignature(Buffer.from(bytes, "hex"), 4), bytes).toThrow(RangeError);
  for (const length of [0, 1, 3]) expect(() => derSignature(Buffer.alloc(length))).not.toThrow();
});
