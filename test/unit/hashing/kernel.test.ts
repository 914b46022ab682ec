import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Argon2Kernel,
  type Argon2Request,
  kernelCandidates,
  loadArgon2Kernel,
  nodeRsKernel,
  referenceKernel,
} from "../../../src/platform/hashing/kernel.ts";

const request = fc.record<Argon2Request>({
  type: fc.constantFrom("argon2id", "argon2i", "argon2d"),
  version: fc.constantFrom(16, 19),
  memory: fc.integer({ min: 64, max: 600 }),
  iterations: fc.integer({ min: 1, max: 4 }),
  parallelism: fc.integer({ min: 1, max: 4 }),
  salt: fc.uint8Array({ minLength: 8, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
  tagLength: fc.integer({ min: 16, max: 64 }),
  password: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
});

const broken: Argon2Kernel = { name: "broken", derive: async ({ tagLength }) => Buffer.alloc(tagLength) };

describe("Argon2 kernels", () => {
  it("agree with each other on every input", async () => {
    const [fast, reference] = await Promise.all([nodeRsKernel.load(), referenceKernel.load()]);
    await fc.assert(
      fc.asyncProperty(request, async (input) => {
        expect((await fast.derive(input)).toString("hex")).toBe(
          (await reference.derive(input)).toString("hex"),
        );
      }),
      { numRuns: 100 },
    );
  });

  it("prefer the faster one", async () => {
    const names = kernelCandidates.map((candidate) => candidate.name);
    expect(names).toEqual(["native", "@node-rs/argon2", "argon2"]);
    expect((await loadArgon2Kernel(kernelCandidates.slice(1))).name).toBe("@node-rs/argon2");
  });

  it("pass over one without a binary and one that answers wrongly", async () => {
    const missing = { name: "missing", load: () => Promise.reject(new Error("no binary")) };
    const wrong = { name: "wrong", load: async () => broken };
    expect((await loadArgon2Kernel([missing, wrong, referenceKernel])).name).toBe("argon2");
    await expect(loadArgon2Kernel([missing, wrong])).rejects.toThrow(
      "no Argon2 kernel works on this machine (missing: no binary; wrong: wrong answer to a known vector)",
    );
  });
});
