import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInProcessHasher } from "../../../src/platform/hashing/in-process.ts";
import type { PasswordHasher } from "../../../src/platform/hashing/port.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { context, type Fixture, openFixture } from "./fixture.ts";

const bcryptHash = "$2b$04$.uKB.uKB.uKB.uKB.uKB.u2kF7kijiyxCVrbpyH9OaylvhQ5Y1gSO";
const bcryptPassword = "pässword\0x";
const current = /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/;

/** Writes hashes below the parameters the capability under test is configured with. */
const weak = createInProcessHasher({ memory: 64, iterations: 1, parallelism: 1 });

let calls: string[] = [];
/** Runs before a hash for renewal is computed. */
let beforeHash: () => Promise<void> = async () => undefined;

function watched(hasher: PasswordHasher): PasswordHasher {
  return {
    ...hasher,
    async hash(password, signal) {
      calls.push("hash");
      await beforeHash();
      return hasher.hash(password, signal);
    },
    verify(stored, password, signal) {
      calls.push("verify");
      return hasher.verify(stored, password, signal);
    },
    verifyDummy(password, signal) {
      calls.push("dummy");
      return hasher.verifyDummy(password, signal);
    },
  };
}

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture({}, watched);
});
afterAll(() => fixture.close());

describe("verification of stored passwords", () => {
  it("matches what was stored, and nothing else", async () => {
    const { passwords, user, stored } = fixture;
    const id = await user();
    await passwords.store(id, await passwords.hash("correct horse", context));
    expect(await passwords.verify(id, "correct horse", context)).toBe("match");
    expect(await passwords.verify(id, "correct horse ", context)).toBe("mismatch");
    expect(await stored(id)).toMatchObject({
      hash: expect.stringMatching(current),
      algorithm: "argon2id",
      params: null,
    });
  });

  it("costs one verification for a user without password, one in need of a reset, and nobody", async () => {
    const { passwords, user, put } = fixture;
    const [without, reset] = [await user(), await user()];
    await put(reset, "whatever", "legacy-reset-required");
    calls = [];
    expect(await passwords.verify(without, "x", context)).toBe("absent");
    expect(await passwords.verify(systemRandom.uuid(), "x", context)).toBe("absent");
    expect(await passwords.verify(reset, "x", context)).toBe("reset_required");
    await passwords.verifyNobody("x", context);
    expect(calls).toEqual(["dummy", "dummy", "dummy", "dummy"]);
    expect(await passwords.exists(without)).toBe(false);
    expect(await passwords.exists(reset)).toBe(true);
  });

  it.each([
    ["bcrypt", bcryptHash, null, bcryptPassword],
    ["", bcryptHash, null, bcryptPassword],
    ["argon2id", undefined, null, "correct horse"],
    ["md5", "5f4dcc3b5aa765d61d8327deb882cf99", { layout: "password" }, "password"],
  ])(
    "replaces a %j hash by a current one on a match, and keeps the date of the password",
    async (algorithm, hash, params, password) => {
      const { passwords, user, put, stored, hasher } = fixture;
      const id = await user();
      await put(id, hash ?? (await weak.hash(password)), algorithm, params);
      const before = await stored(id);
      expect(await passwords.verify(id, `${password}!`, context)).toBe("mismatch");
      expect(await stored(id)).toEqual(before);

      expect(await passwords.verify(id, password, context)).toBe("match");
      const after = await stored(id);
      expect(after).toMatchObject({
        hash: expect.stringMatching(current),
        algorithm: "argon2id",
        params: null,
      });
      expect(after?.["at"]).toBe(before?.["at"]);
      calls = [];
      expect(await passwords.verify(id, password, context)).toBe("match");
      expect(calls).toEqual(["verify"]);
      expect(
        await hasher.verify({ hash: String(after?.["hash"]), algorithm: "argon2id", params: null }, password),
      ).toEqual({
        match: true,
        rehash: false,
      });
    },
  );

  it("never overwrites a password that was changed while the old one was being renewed", async () => {
    const { passwords, user, put, stored } = fixture;
    const id = await user();
    await put(id, bcryptHash, "bcrypt");
    const changed = await passwords.hash("changed meanwhile", context);
    beforeHash = () => passwords.store(id, changed);
    expect(await passwords.verify(id, bcryptPassword, context)).toBe("match");
    beforeHash = async () => undefined;
    expect((await stored(id))?.["hash"]).toBe(changed);
  });

  it("lets a login succeed when the renewal fails", async () => {
    const { passwords, user, put, stored } = fixture;
    const id = await user();
    await put(id, bcryptHash, "bcrypt");
    beforeHash = () => Promise.reject(new Error("busy"));
    expect(await passwords.verify(id, bcryptPassword, context)).toBe("match");
    beforeHash = async () => undefined;
    expect((await stored(id))?.["hash"]).toBe(bcryptHash);
  });

  it.each([
    ["plain", "correct horse"],
    ["argon2id", "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHRzYWx0$c29tZXNhbHRzYWx0c29tZQ"],
    ["argon2id", "$argon2id$v=19$m=64,t=0,p=0$c29tZXNhbHRzYWx0$c29tZXNhbHRzYWx0c29tZQ"],
    ["bcrypt", ""],
  ])("treats an unusable %s hash as a wrong password", async (algorithm, hash) => {
    const { passwords, user, put } = fixture;
    const id = await user();
    await put(id, hash, algorithm);
    expect(await passwords.verify(id, "correct horse", context)).toBe("mismatch");
  });
});
