import { describe, expect, it } from "vitest";
import { createHashEngine } from "../../../src/platform/hashing/engine.ts";
import { loadArgon2Kernel, referenceKernel } from "../../../src/platform/hashing/kernel.ts";
import type { Argon2Parameters } from "../../../src/platform/hashing/port.ts";
import { systemRandom } from "../../../src/platform/random.ts";

const kernel = await loadArgon2Kernel();
const engineWith = (memory: number, iterations: number, parallelism = 1) =>
  createHashEngine(kernel, { memory, iterations, parallelism }, systemRandom);
const bytes = (text: string): Buffer => Buffer.from(text);

describe("new hashes", () => {
  it("are PHC strings with a fresh 16-byte salt and a 32-byte tag", async () => {
    const engine = engineWith(65536, 1);
    const [one, two] = await Promise.all([engine.hash(bytes("secret")), engine.hash(bytes("secret"))]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=65536,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(two);
    expect(await engine.verify({ hash: one, algorithm: "argon2id", params: null }, bytes("secret"))).toEqual({
      match: true,
      rehash: false,
    });
  });

  it("verify in the reference implementation, and the other way round", async () => {
    const parameters = { memory: 256, iterations: 2, parallelism: 1 };
    const reference = createHashEngine(await referenceKernel.load(), parameters, systemRandom);
    const ours = createHashEngine(kernel, parameters, systemRandom);
    for (const [writer, reader] of [
      [reference, ours],
      [ours, reference],
    ] as const) {
      const stored = { hash: await writer.hash(bytes("pässwörd")), algorithm: "argon2id", params: null };
      expect((await reader.verify(stored, bytes("pässwörd"))).match).toBe(true);
      expect((await reader.verify(stored, bytes("pässword"))).match).toBe(false);
    }
  });

  it("take passwords byte for byte: nothing trimmed, folded or cut", async () => {
    const engine = engineWith(64, 1);
    const long = "x".repeat(1024);
    for (const [password, other] of [
      [" secret ", "secret"],
      ["Secret", "secret"],
      ["é", "e\u0301"],
      ["a\0b", "a"],
      [`${long}1`, `${long}2`],
    ] as const) {
      const stored = { hash: await engine.hash(bytes(password)), algorithm: "argon2id", params: null };
      expect((await engine.verify(stored, bytes(password))).match).toBe(true);
      expect((await engine.verify(stored, bytes(other))).match).toBe(false);
    }
  });
});

describe("renewal of Argon2id hashes", () => {
  it.each<[string, Argon2Parameters, Argon2Parameters, boolean]>([
    ["the same", p(512, 2), p(512, 2), false],
    ["less memory", p(256, 2), p(512, 2), true],
    ["fewer passes", p(512, 1), p(512, 2), true],
    ["less memory, more passes", p(256, 4), p(512, 2), true],
    ["more memory", p(1024, 2), p(512, 2), false],
    ["more passes", p(512, 3), p(512, 2), false],
    ["more lanes", p(512, 2, 2), p(512, 2), true],
    ["fewer lanes", p(512, 2, 1), p(512, 2, 2), true],
  ])("%s", async (_name, stored, current, rehash) => {
    const hash = await createHashEngine(kernel, stored, systemRandom).hash(bytes("secret"));
    const engine = createHashEngine(kernel, current, systemRandom);
    const result = await engine.verify({ hash, algorithm: "argon2id", params: null }, bytes("secret"));
    expect(result).toEqual({ match: true, rehash });
  });

  function p(memory: number, iterations: number, parallelism = 1): Argon2Parameters {
    return { memory, iterations, parallelism };
  }
});

describe("bcrypt", () => {
  const engine = engineWith(64, 1);
  // Python's bcrypt over the first 72 of 80 bytes.
  it("reads 72 bytes of a password and ignores the rest", async () => {
    const hash = "$2b$04$uLtrwmHzjajN/hfyIKEka.q3JS1eBZVIQ36pgj/QK5npWf.PAbq4K";
    const stored = { hash, algorithm: "bcrypt", params: null };
    const password = "0123456789".repeat(8);
    expect((await engine.verify(stored, bytes(password))).match).toBe(true);
    expect((await engine.verify(stored, bytes(password.slice(0, 72)))).match).toBe(true);
    expect((await engine.verify(stored, bytes(`${password.slice(0, 72)}something else`))).match).toBe(true);
    expect((await engine.verify(stored, bytes(password.slice(0, 71)))).match).toBe(false);
    expect((await engine.verify(stored, Buffer.alloc(1_000_000, "0123456789"))).match).toBe(true);
  });

  it("does not stop at a NUL byte", async () => {
    const stored = {
      hash: "$2b$04$.uKB.uKB.uKB.uKB.uKB.u2kF7kijiyxCVrbpyH9OaylvhQ5Y1gSO",
      algorithm: "bcrypt",
      params: null,
    };
    expect((await engine.verify(stored, bytes("pässword\0x"))).match).toBe(true);
    expect((await engine.verify(stored, bytes("pässword"))).match).toBe(false);
  });

  it("also answers to an empty algorithm, and always asks for renewal", async () => {
    const stored = {
      hash: "$2b$04$.uKB.uKB.uKB.uKB.uKB.u2kF7kijiyxCVrbpyH9OaylvhQ5Y1gSO",
      algorithm: "",
      params: null,
    };
    expect(await engine.verify(stored, bytes("pässword\0x"))).toEqual({ match: true, rehash: true });
  });
});

describe("legacy-reset-required", () => {
  it("never matches, whatever hash stands beside it", async () => {
    const engine = engineWith(64, 1);
    const hash = await engine.hash(bytes("secret"));
    const stored = { hash, algorithm: "legacy-reset-required", params: null };
    expect(await engine.verify(stored, bytes("secret"))).toEqual({ match: false, rehash: false });
  });
});
