import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemRandom } from "../../../src/platform/random.ts";
import { context, type Fixture, openFixture } from "./fixture.ts";

const bcryptHash = "$2b$04$.uKB.uKB.uKB.uKB.uKB.u2kF7kijiyxCVrbpyH9OaylvhQ5Y1gSO";
const bcryptPassword = "pässword\0x";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

const current = (password: string) => ({ kind: "current", password }) as const;
const fresh = { kind: "fresh" } as const;
const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "done",
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );

async function userWith(password: string): Promise<string> {
  const id = await fixture.user();
  await fixture.passwords.store(id, await fixture.passwords.hash(password, context));
  return id;
}

describe("a user's own change", () => {
  it("replaces the password and ends every other session, in one transaction with its events", async () => {
    const { changes, passwords, session, liveSessions, events, actions, published } = fixture;
    const id = await userWith("old password");
    const [kept, ended] = [await session(id), await session(id)];
    await changes.change(id, current("old password"), "new password", kept, context);
    expect(await passwords.verify(id, "new password", context)).toBe("match");
    expect(await passwords.verify(id, "old password", context)).toBe("mismatch");
    expect(await liveSessions(id)).toEqual([kept]);
    expect(published).toContain(ended);
    expect(await events(id)).toEqual([
      ["password_changed", null, kept],
      ["session_revoked", "password_change", ended],
    ]);
    expect(await actions(id)).toEqual(["password.changed"]);
  });

  it.each([null, undefined, ""])("keeps no session for %j", async (keep) => {
    const { changes, session, liveSessions, events } = fixture;
    const id = await userWith("old password");
    const ended = await session(id);
    await changes.change(id, current("old password"), "new password", keep, context);
    expect(await liveSessions(id)).toEqual([]);
    expect(await events(id)).toContainEqual(["password_changed", null, ""]);
    expect(await events(id)).toContainEqual(["session_revoked", "password_change", ended]);
  });

  it("refuses in the documented order and changes nothing", async () => {
    const { changes, put, user, session, liveSessions, events } = fixture;
    const id = await userWith("old password");
    const other = await session(id);
    expect(await code(changes.change(" ", current("x"), "short", null, context))).toBe("invalid_user");
    expect(await code(changes.change(id, current("wrong"), "short", "no uuid", context))).toBe(
      "password_too_short",
    );
    expect(await code(changes.change(id, current("wrong"), "x".repeat(1025), null, context))).toBe(
      "invalid_request",
    );
    expect(await code(changes.change(id, current("old password"), "new password", "no uuid", context))).toBe(
      "invalid_request",
    );
    expect(await code(changes.change(id, current("wrong"), "new password", null, context))).toBe(
      "invalid_credentials",
    );
    expect(await liveSessions(id)).toEqual([other]);
    expect(await events(id)).toEqual([]);
    const legacy = await user();
    await put(legacy, "x", "legacy-reset-required");
    expect(await code(changes.change(legacy, current("x"), "new password", null, context))).toBe(
      "password_reset_required",
    );
    expect(await code(changes.change("nobody", current("x"), "new password", null, context))).toBe(
      "invalid_user",
    );
    expect(await code(changes.change(systemRandom.uuid(), current("x"), "new password", null, context))).toBe(
      "user_not_found",
    );
    const unknown = await user();
    await put(unknown, "secret", "plain");
    expect(await code(changes.change(unknown, current("secret"), "new password", null, context))).toBe(
      "invalid_credentials",
    );
  });

  it("sets a first password without proof, and any password on a fresh authentication", async () => {
    const { changes, passwords, user, put } = fixture;
    const first = await user();
    await changes.change(first, current("ignored"), "first password", null, context);
    expect(await passwords.verify(first, "first password", context)).toBe("match");
    await changes.change(first, fresh, "second password", null, context);
    expect(await passwords.verify(first, "second password", context)).toBe("match");
    const legacy = await user();
    await put(legacy, "x", "legacy-reset-required");
    await changes.change(legacy, fresh, "second password", null, context);
    expect(await passwords.verify(legacy, "second password", context)).toBe("match");
  });

  it("accepts the same password again", async () => {
    const id = await userWith("same password");
    expect(
      await code(fixture.changes.change(id, current("same password"), "same password", null, context)),
    ).toBe("done");
  });

  it("lets exactly one of many simultaneous changes from the same password win", async () => {
    const { changes, passwords } = fixture;
    const id = await userWith("old password");
    const all = Array.from({ length: 8 }, (_, at) => `new password ${at}`);
    const results = await Promise.all(
      all.map((next) => code(changes.change(id, current("old password"), next, null, context))),
    );
    expect(results.filter((result) => result === "done")).toHaveLength(1);
    expect(results.filter((result) => result === "invalid_credentials")).toHaveLength(7);
    const winner = all[results.indexOf("done")] ?? "";
    expect(await passwords.verify(id, winner, context)).toBe("match");
  });

  it("lets exactly one of many simultaneous first passwords win", async () => {
    const { changes, passwords, user } = fixture;
    const id = await user();
    const all = Array.from({ length: 6 }, (_, at) => `new password ${at}`);
    const results = await Promise.all(
      all.map((next) => code(changes.change(id, current(""), next, null, context))),
    );
    expect(results.filter((result) => result === "done")).toHaveLength(1);
    const winner = all[results.indexOf("done")] ?? "";
    expect(await passwords.verify(id, winner, context)).toBe("match");
  });

  it("is not disturbed by a login that renews the format at the same moment", async () => {
    const { changes, passwords, user, put } = fixture;
    for (let round = 0; round < 10; round++) {
      const id = await user();
      await put(id, bcryptHash, "bcrypt");
      const [changed] = await Promise.all([
        code(changes.change(id, current(bcryptPassword), "new password", null, context)),
        passwords.verify(id, bcryptPassword, context),
      ]);
      expect(changed).toBe("done");
      expect(await passwords.verify(id, "new password", context)).toBe("match");
    }
  });
});

describe("reset and operator's password", () => {
  it("reset ends every session and lifts legacy-reset-required", async () => {
    const { changes, passwords, user, put, session, liveSessions, events, actions } = fixture;
    const id = await user();
    await put(id, "x", "legacy-reset-required", { from: "elsewhere" });
    const ended = await session(id);
    expect(await code(changes.reset(id, "short", context))).toBe("password_too_short");
    expect(await liveSessions(id)).toEqual([ended]);
    await changes.reset(id, "new password", context);
    expect(await passwords.verify(id, "new password", context)).toBe("match");
    expect(await liveSessions(id)).toEqual([]);
    expect(await events(id)).toEqual([
      ["password_changed", null, ""],
      ["session_revoked", "password_change", ended],
    ]);
    expect(await actions(id)).toEqual(["password.reset"]);
    expect((await fixture.stored(id))?.["params"]).toBeNull();
  });

  it("an operator's password ends every session with its own reason", async () => {
    const { changes, passwords, session, liveSessions, events, actions } = fixture;
    const id = await userWith("old password");
    const ended = await session(id);
    await changes.setByOperator(id, "new password", context);
    expect(await passwords.verify(id, "new password", context)).toBe("match");
    expect(await liveSessions(id)).toEqual([]);
    expect(await events(id)).toContainEqual(["session_revoked", "admin_set_password", ended]);
    expect(await actions(id)).toEqual(["password.set_by_operator"]);
    expect(await code(changes.setByOperator("", "new password", context))).toBe("invalid_user");
    expect(await code(changes.setByOperator("nobody", "new password", context))).toBe("invalid_user");
    expect(await code(changes.setByOperator(id, "1234567", context))).toBe("password_too_short");
    expect(await code(changes.setByOperator(systemRandom.uuid(), "new password", context))).toBe(
      "user_not_found",
    );
  });

  it("keeps the old password and every session when the transaction cannot commit", async () => {
    const { changes, passwords, session, liveSessions, query } = fixture;
    const id = await userWith("old password");
    const live = await session(id);
    await query("ALTER TABLE profiles.audit_log RENAME TO audit_log_away");
    try {
      await expect(changes.reset(id, "new password", context)).rejects.toThrow();
    } finally {
      await query("ALTER TABLE profiles.audit_log_away RENAME TO audit_log");
    }
    expect(await passwords.verify(id, "old password", context)).toBe("match");
    expect(await liveSessions(id)).toEqual([live]);
  });

  it("a version changes with the password and not with its format", async () => {
    const { changes, passwords, user, put } = fixture;
    const id = await user();
    const versions = [await changes.version(id)];
    await put(id, bcryptHash, "bcrypt");
    versions.push(await changes.version(id));
    await passwords.verify(id, bcryptPassword, context);
    expect(await changes.version(id)).toBe(versions.at(-1));
    for (const next of ["new password", "new password", "other password"]) {
      await changes.reset(id, next, context);
      versions.push(await changes.version(id));
    }
    expect(versions[0]).toBe("none");
    expect(new Set(versions).size).toBe(versions.length);
  });
});

describe("hashes brought along", () => {
  it("are stored as they are, replace what was there, and leave sessions alone", async () => {
    const { changes, passwords, stored, session, liveSessions, actions } = fixture;
    const id = await userWith("old password");
    const live = await session(id);
    const params = Buffer.from('{"layout":"password","note":1}');
    await changes.importHash(id, "5f4dcc3b5aa765d61d8327deb882cf99", "md5", params, context);
    expect(await stored(id)).toMatchObject({
      hash: "5f4dcc3b5aa765d61d8327deb882cf99",
      algorithm: "md5",
      params: { layout: "password", note: 1 },
    });
    expect(await liveSessions(id)).toEqual([live]);
    expect(await actions(id)).toEqual(["password.imported"]);
    expect(await changes.matches(id, "old password", context)).toBe(false);
    expect(await changes.matches(id, "password", context)).toBe(true);
    expect((await stored(id))?.["algorithm"]).toBe("argon2id");
    await changes.importHash(id, "", "legacy-reset-required", null, context);
    expect(await passwords.verify(id, "password", context)).toBe("reset_required");
    expect(await changes.matches(id, "password", context)).toBe(false);
  });

  it("are refused when they could never verify or cannot be stored", async () => {
    const { changes } = fixture;
    const id = await userWith("old password");
    const json = (text: string) => Buffer.from(text);
    const bring = (hash: string, algorithm: string, params: Uint8Array | null, userId = id) =>
      code(changes.importHash(userId, hash, algorithm, params, context));
    expect(await bring("x", "argon2id", null, "")).toBe("invalid_user");
    expect(await bring("x", "argon2id", null, "nobody")).toBe("invalid_user");
    expect(await bring("x", "argon2id", null, systemRandom.uuid())).toBe("user_not_found");
    expect(await bring("secret", "plain", null)).toBe("unsupported_hash_algo");
    expect(await bring("x", "argon2id", json(""))).toBe("invalid_hash_params");
    expect(await bring("x", "argon2id", json("{"))).toBe("invalid_hash_params");
    expect(await bring("x", "argon2id", Buffer.from([0x22, 0xff, 0x22]))).toBe("invalid_hash_params");
    expect(await bring("x", "argon2id", json('"\\u0000"'))).toBe("invalid_hash_params");
    expect(await bring("x", "argon2id", json('"\\ud800"'))).toBe("invalid_hash_params");
    expect(await bring("x", "md5", null)).toBe("invalid_hash_params");
    expect(await bring("a\0b", "argon2id", null)).toBe("invalid_request");
    // Malformed, but of a known kind: stored as the contract has it, and never a match.
    expect(await bring("x", "argon2id", json('{"a":[1,"\\u00e9"]}'))).toBe("done");
    expect(await changes.matches(id, "x", context)).toBe(false);
  });

  it("matches() is false for whoever does not exist", async () => {
    expect(await fixture.changes.matches("", "x", context)).toBe(false);
    expect(await fixture.changes.matches("nobody", "x", context)).toBe(false);
    expect(await fixture.changes.matches(systemRandom.uuid(), "x", context)).toBe(false);
  });
});
