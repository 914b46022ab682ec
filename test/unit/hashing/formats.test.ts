import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createHashEngine } from "../../../src/platform/hashing/engine.ts";
import { validateStored } from "../../../src/platform/hashing/formats/index.ts";
import { loadArgon2Kernel } from "../../../src/platform/hashing/kernel.ts";
import { systemRandom } from "../../../src/platform/random.ts";

interface Vector {
  readonly algorithm: string;
  readonly hash: string;
  readonly password: string;
  readonly params: unknown;
  readonly source: string;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("./vectors/hashes.json", import.meta.url), "utf8"),
);

const engine = createHashEngine(
  await loadArgon2Kernel(),
  { memory: 1024, iterations: 1, parallelism: 1 },
  systemRandom,
);
const bytes = (text: string): Buffer => Buffer.from(text);

describe("hashes made by other programs", () => {
  it.each(vectors)("$source: $algorithm $hash", async ({ hash, algorithm, params, password }) => {
    expect(validateStored(hash, algorithm, params)).toBe("ok");
    const stored = { hash, algorithm, params };
    expect(await engine.verify(stored, bytes(password))).toEqual({ match: true, rehash: true });
    expect(await engine.verify(stored, bytes(`${password.slice(0, 5)}!`))).toEqual({
      match: false,
      rehash: false,
    });
  });

  it("covers every family", () => {
    expect(new Set(vectors.map((vector) => vector.algorithm))).toEqual(
      new Set([
        "argon2id",
        "argon2i",
        "argon2d",
        "bcrypt",
        "",
        "scrypt",
        "firebase-scrypt",
        "pbkdf2",
        "pbkdf2-sha1",
        "pbkdf2-sha256",
        "pbkdf2-sha512",
        "sha256-crypt",
        "sha512-crypt",
        "md5",
        "sha1",
        "sha256",
        "sha512",
      ]),
    );
  });
});
