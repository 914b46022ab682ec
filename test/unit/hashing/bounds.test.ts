/** Threat: an import, or a taken-over database of another server, carries hashes whose verification would exhaust memory or processor. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHashEngine } from "../../../src/platform/hashing/engine.ts";
import { knownAlgorithms, validateStored } from "../../../src/platform/hashing/formats/index.ts";
import { type Argon2Request, nodeRsKernel } from "../../../src/platform/hashing/kernel.ts";
import { systemRandom } from "../../../src/platform/random.ts";

const salt = "c29tZXNhbHRzYWx0";
const tag = "hZB0YqZ9BlCD1UpvFpaw/TWz9Yl9jI+hJYgg6cO5d0A";
const argon2id = (m: number | string, t: number | string, p: number | string): string =>
  `$argon2id$v=19$m=${m},t=${t},p=${p}$${salt}$${tag}`;
const bcrypt = ".uKB.uKB.uKB.uKB.uKB.u2kF7kijiyxCVrbpyH9OaylvhQ5Y1gSO";
const sha256crypt = "SCJ3lrBMYrcxPCjM5EfQVHOZYyCib8O8UFYb0ljdfY4";
const firebase = {
  signerKey: "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
  saltSeparator: "Bw==",
  rounds: 8,
  memCost: 14,
  salt: "42xEC+ixf3L2lw==",
};
const firebaseHash =
  "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";

describe("stored hashes are bounded", () => {
  it.each([
    ["argon2id", argon2id(65536, 1, 1), null, "ok"],
    ["argon2id", argon2id(1048576, 20, 16), null, "ok"],
    ["argon2id", argon2id(1048577, 1, 1), null, "hash_cost_too_high"],
    ["argon2id", argon2id(4294967295, 1, 1), null, "hash_cost_too_high"],
    ["argon2id", argon2id("99999999999", 1, 1), null, "invalid_hash"],
    ["argon2id", argon2id(65536, 21, 1), null, "hash_cost_too_high"],
    ["argon2id", argon2id(65536, 1, 17), null, "hash_cost_too_high"],
    ["argon2id", argon2id(65536, 1, 257), null, "hash_cost_too_high"],
    ["argon2id", argon2id(65536, 0, 1), null, "invalid_hash"],
    ["argon2id", argon2id(65536, 1, 0), null, "invalid_hash"],
    ["argon2id", argon2id(0, 1, 1), null, "invalid_hash"],
    ["argon2id", argon2id(31, 1, 4), null, "invalid_hash"],
    ["argon2id", argon2id("-1", 1, 1), null, "invalid_hash"],
    ["argon2id", argon2id("64e3", 1, 1), null, "invalid_hash"],
    ["argon2id", argon2id(65536, 1, 1).replace("v=19", "v=16"), null, "invalid_hash"],
    ["argon2id", argon2id(65536, 1, 1).replace("$v=19", ""), null, "invalid_hash"],
    ["argon2id", argon2id(65536, 1, 1).replace("argon2id", "argon2i"), null, "invalid_hash"],
    ["argon2id", argon2id(65536, 1, 1).replace(salt, "c2FsdA"), null, "invalid_hash"],
    ["argon2id", argon2id(65536, 1, 1).replace(tag, "dGFn"), null, "invalid_hash"],
    ["argon2id", argon2id(65536, 1, 1).replace(tag, "A".repeat(88)), null, "invalid_hash"],
    ["argon2id", `${argon2id(65536, 1, 1)}=`, null, "invalid_hash"],
    ["argon2id", `${argon2id(65536, 1, 1)}$x`, null, "invalid_hash"],
    ["argon2id", "", null, "invalid_hash"],
    ["bcrypt", `$2b$10$${bcrypt}`, null, "ok"],
    ["bcrypt", `$2x$10$${bcrypt}`, null, "ok"],
    ["", `$2y$10$${bcrypt}`, null, "ok"],
    ["", `$2x$10$${bcrypt}`, null, "invalid_hash"],
    ["", "plain text", null, "invalid_hash"],
    ["bcrypt", `$2b$17$${bcrypt}`, null, "hash_cost_too_high"],
    ["bcrypt", `$2b$31$${bcrypt}`, null, "hash_cost_too_high"],
    ["bcrypt", `$2b$32$${bcrypt}`, null, "invalid_hash"],
    ["bcrypt", `$2b$03$${bcrypt}`, null, "invalid_hash"],
    ["scrypt", `$scrypt$ln=17,r=8,p=1$${salt}$${tag}`, null, "ok"],
    ["scrypt", `$scrypt$ln=19,r=8,p=1$${salt}$${tag}`, null, "hash_cost_too_high"],
    ["scrypt", `$scrypt$ln=17,r=8,p=64$${salt}$${tag}`, null, "hash_cost_too_high"],
    ["scrypt", `$scrypt$ln=4000000000,r=8,p=1$${salt}$${tag}`, null, "hash_cost_too_high"],
    ["scrypt", `$scrypt$ln=10,r=0,p=1$${salt}$${tag}`, null, "invalid_hash"],
    ["scrypt", `$scrypt$ln=10,r=8$${salt}$${tag}`, null, "invalid_hash"],
    ["firebase-scrypt", firebaseHash, firebase, "ok"],
    ["firebase-scrypt", firebaseHash, { ...firebase, memCost: 22 }, "hash_cost_too_high"],
    ["firebase-scrypt", firebaseHash, { ...firebase, rounds: 0 }, "invalid_hash_params"],
    ["firebase-scrypt", firebaseHash, { ...firebase, signerKey: undefined }, "invalid_hash_params"],
    ["firebase-scrypt", firebaseHash, null, "invalid_hash_params"],
    ["firebase-scrypt", "short", firebase, "invalid_hash"],
    ["pbkdf2-sha256", `$pbkdf2-sha256$i=600000,l=32$${salt}$${tag}`, null, "ok"],
    ["pbkdf2-sha256", `$pbkdf2-sha256$i=600000,l=20$${salt}$${tag}`, null, "invalid_hash"],
    ["pbkdf2-sha256", `$pbkdf2-sha256$i=4000001$${salt}$${tag}`, null, "hash_cost_too_high"],
    ["pbkdf2-sha1", `$pbkdf2$2000001$${salt}$${tag}`, null, "hash_cost_too_high"],
    ["pbkdf2-sha256", `$pbkdf2-sha256$i=0$${salt}$${tag}`, null, "invalid_hash"],
    ["pbkdf2-sha512", `$pbkdf2-sha256$i=1000$${salt}$${tag}`, null, "invalid_hash"],
    ["sha256-crypt", `$5$rounds=1000000$salt$${sha256crypt}`, null, "ok"],
    ["sha256-crypt", `$5$rounds=999999999$salt$${sha256crypt}`, null, "hash_cost_too_high"],
    ["sha256-crypt", `$5$rounds=10$salt$${sha256crypt}`, null, "invalid_hash"],
    ["sha512-crypt", `$5$salt$${sha256crypt}`, null, "invalid_hash"],
    ["md5", "5f4dcc3b5aa765d61d8327deb882cf99", { layout: "password" }, "ok"],
    ["md5", "5f4dcc3b5aa765d61d8327deb882cf99", null, "invalid_hash_params"],
    ["md5", "5f4dcc3b5aa765d61d8327deb882cf99", { layout: "constructor" }, "invalid_hash_params"],
    ["md5", "5f4dcc3b5aa765d61d8327deb882cf99", { layout: "salt+password" }, "invalid_hash_params"],
    ["md5", "5f4dcc", { layout: "password" }, "invalid_hash"],
    ["legacy-reset-required", "", null, "ok"],
    ["plain", "secret", null, "unsupported_hash_algo"],
    ["ARGON2ID", argon2id(65536, 1, 1), null, "unsupported_hash_algo"],
    ["argon2id", `$argon2id$${"x".repeat(5000)}`, null, "invalid_hash"],
  ])("%s %s %j → %s", (algorithm, hash, params, expected) => {
    expect(validateStored(hash, algorithm, params)).toBe(expected);
  });

  it("never throws and never passes unbounded work to the kernel, whatever is stored", async () => {
    const asked: Argon2Request[] = [];
    const kernel = {
      name: "recording",
      derive: async (request: Argon2Request) => {
        asked.push(request);
        return Buffer.alloc(request.tagLength);
      },
    };
    const current = { memory: 64, iterations: 1, parallelism: 1 };
    const engine = createHashEngine(kernel, current, systemRandom);
    const number = fc.oneof(fc.integer({ min: -1, max: 2 ** 32 }).map(String), fc.string({ maxLength: 4 }));
    const base64 = fc.stringMatching(/^[A-Za-z0-9+/]{0,90}$/);
    const hash = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc
        .tuple(fc.constantFrom("argon2id", "argon2i", "argon2d"), number, number, number, base64, base64)
        .map(([type, m, t, p, s, k]) => `$${type}$v=19$m=${m},t=${t},p=${p}$${s}$${k}`),
    );
    const algorithm = fc.oneof(fc.constantFrom("argon2id", "argon2i", "argon2d"), fc.string());
    await fc.assert(
      fc.asyncProperty(hash, algorithm, fc.jsonValue(), async (text, name, params) => {
        const result = await engine.verify({ hash: text, algorithm: name, params }, Buffer.from("x"));
        expect(Object.keys(result)).toEqual(["match", "rehash"]);
      }),
      { numRuns: 2000 },
    );
    for (const request of asked) {
      expect(request.memory).toBeLessThanOrEqual(1_048_576);
      expect(request.iterations).toBeLessThanOrEqual(20);
      expect(request.parallelism).toBeLessThanOrEqual(16);
      expect(request.salt.length).toBeLessThanOrEqual(64);
      expect(request.tagLength).toBeLessThanOrEqual(64);
    }
  });

  it("parses arbitrary texts and parameters under every known algorithm without throwing", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...knownAlgorithms),
        fc.string(),
        fc.jsonValue(),
        (algorithm, hash, params) => {
          expect(typeof validateStored(hash, algorithm, params)).toBe("string");
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("spends a verification on what cannot be verified", async () => {
    let hashes = 0;
    const real = await nodeRsKernel.load();
    const kernel = {
      name: "counting",
      derive: (request: Argon2Request) => {
        hashes++;
        return real.derive(request);
      },
    };
    const engine = createHashEngine(kernel, { memory: 64, iterations: 1, parallelism: 1 }, systemRandom);
    const stored = [
      { hash: "nonsense", algorithm: "argon2id", params: null },
      { hash: "secret", algorithm: "plain", params: null },
      { hash: "5f4dcc3b5aa765d61d8327deb882cf99", algorithm: "md5", params: { layout: "password" } },
    ];
    for (const [at, one] of stored.entries()) {
      expect(await engine.verify(one, Buffer.from("wrong"))).toEqual({ match: false, rehash: false });
      expect(hashes).toBe(at + 1);
    }
  });
});
