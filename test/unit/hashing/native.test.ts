import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Argon2Request,
  loadArgon2Kernel,
  nativeKernel,
  referenceKernel,
} from "../../../src/platform/hashing/kernel.ts";

const built = existsSync(join(import.meta.dirname, "../../../native/hashing/dist/authkit-hashing.node"));

const request = fc.record<Argon2Request>({
  type: fc.constantFrom("argon2id", "argon2i", "argon2d"),
  version: fc.constantFrom(16, 19),
  memory: fc.integer({ min: 64, max: 3000 }),
  iterations: fc.integer({ min: 1, max: 4 }),
  parallelism: fc.integer({ min: 1, max: 5 }),
  salt: fc.uint8Array({ minLength: 8, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
  tagLength: fc.integer({ min: 16, max: 200 }),
  password: fc.uint8Array({ maxLength: 1000 }).map((bytes) => Buffer.from(bytes)),
});

describe.skipIf(!built)("the native kernel (after npm run build:native)", () => {
  it("comes first, and says which instructions it uses", async () => {
    expect((await loadArgon2Kernel()).name).toMatch(/^native \((avx512|avx2|portable)\)$/);
  });

  it("agrees with the reference on every input, one after the other and at once", async () => {
    const [native, reference] = await Promise.all([nativeKernel.load(), referenceKernel.load()]);
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), async (inputs) => {
        const [ours, theirs] = await Promise.all([
          Promise.all(inputs.map((input) => native.derive(input))),
          Promise.all(inputs.map((input) => reference.derive(input))),
        ]);
        expect(ours.map((tag) => tag.toString("hex"))).toEqual(theirs.map((tag) => tag.toString("hex")));
      }),
      { numRuns: 150 },
    );
  });

  it("refuses what the standard excludes, and lives on", async () => {
    const native = await nativeKernel.load();
    const good: Argon2Request = {
      ...{ type: "argon2id", version: 19, memory: 64, iterations: 1, parallelism: 1, tagLength: 32 },
      ...{ salt: Buffer.alloc(16), password: Buffer.from("x") },
    };
    for (const wrong of [
      { memory: 7 },
      { memory: 4_294_967_295 },
      { iterations: 0 },
      { parallelism: 0 },
      { parallelism: 9 },
      { tagLength: 3 },
    ]) {
      const refused = (async () => native.derive({ ...good, ...wrong }))();
      await expect(refused, JSON.stringify(wrong)).rejects.toThrow("argon2: ");
    }
    expect(await native.derive(good)).toHaveLength(32);
  });
});
