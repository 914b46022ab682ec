import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addUser, context, type Fixture, openFixture, refusal } from "./fixture.ts";

let f: Fixture;
beforeAll(async () => {
  f = await openFixture({ registration: { reservedUsernames: ["admin", "root"] } });
});
afterAll(() => f.close());

const nobody = "019f0000-0000-7000-8000-0000000000aa";
const warn = { ownerGuard: "warn" } as const;

async function actions(userId: string): Promise<string[]> {
  const rows = await f.audit.page({ target: `user:${userId}` });
  return rows.map((row) => row.action);
}

describe("look-up and creation", () => {
  it("finds by any name, ignoring case, soft-deleted ones included", async () => {
    const user = await addUser(f, { email: "ana@example.com", username: "Ana_Lee" });
    await f.users.softDelete(user.id, context(), warn);
    expect((await f.users.byEmail(" ANA@Example.com "))?.id).toBe(user.id);
    expect((await f.users.byUsername("ANA_LEE"))?.username).toBe("Ana_Lee");
    expect((await f.users.byPhone(user.phoneNumber ?? ""))?.id).toBe(user.id);
    expect(await f.users.byEmail("a\u0000@b.c")).toBeUndefined();
    expect(await f.users.byId("x")).toBeUndefined();
    expect((await f.users.byIds([user.id, nobody, user.id])).map((row) => row.id)).toEqual([user.id]);
    expect(await refusal(f.users.byIds([user.id, "x"]))).toBe("invalid_user");
    expect(await f.users.taken({ email: "Ana@Example.com", username: "ana_lee", phone: "+999" })).toEqual({
      email: true,
      phone: false,
      username: true,
    });
    expect(await f.users.taken({ email: "ana@example.com" }, user.id)).toMatchObject({ email: false });
  });

  it("names what is taken", async () => {
    const user = await addUser(f);
    expect(await refusal(addUser(f, { email: user.email?.toUpperCase() ?? "" }))).toBe("email_in_use");
    expect(await refusal(addUser(f, { phoneNumber: user.phoneNumber }))).toBe("phone_in_use");
    expect(await refusal(addUser(f, { username: user.username?.toUpperCase() ?? "" }))).toBe(
      "owner_slug_taken",
    );
  });

  it("creates account and password together", async () => {
    const user = await addUser(f, { passwordHash: "$argon2id$x" });
    const rows = await f.query(
      `SELECT password_hash, hash_algo, hash_params FROM S.user_passwords WHERE user_id = $1`,
      [user.id],
    );
    expect(rows).toEqual([{ password_hash: "$argon2id$x", hash_algo: "argon2id", hash_params: null }]);
    expect(user).toMatchObject({
      createdAt: f.clock.now(),
      updatedAt: f.clock.now(),
      metadata: {},
      avatarUrl: null,
    });
  });

  it("creates for operators by their rules", async () => {
    const user = await f.users.createByOperator(" Ops@Example.com ", "ops-user", context());
    expect(user).toMatchObject({ email: "ops@example.com", username: "ops-user", emailVerified: false });
    expect(await actions(user.id)).toEqual(["user.created"]);
    expect(await f.users.createByOperator("", "", context())).toMatchObject({ email: null, username: null });
    expect(await f.users.createByOperator("", "", context())).toMatchObject({ email: null, username: null });
    expect(await refusal(f.users.createByOperator("x", "", context()))).toBe("invalid_email");
    expect(await refusal(f.users.createByOperator("", "abc", context()))).toBe("username_too_short");
    expect(await refusal(f.users.createByOperator("ops@example.com", "", context()))).toBe("email_in_use");
  });

  it("derives a username nobody has", async () => {
    expect(await f.users.freeUsername({ email: "free.name@x.yz" })).toBe("freename");
    await addUser(f, { username: "FreeName" });
    await addUser(f, { username: "freename1" });
    expect(await f.users.freeUsername({ email: "free.name@x.yz" })).toBe("freename2");
    expect(await f.users.freeUsername({ preferred: "admin" })).toBe("admin1");
  });
});

describe("the access gate", () => {
  it("admits, refuses and clears ended bans", async () => {
    const user = await addUser(f);
    expect((await f.users.admit(user.id)).id).toBe(user.id);
    expect(await refusal(f.users.admit(nobody))).toBe("user_not_found");
    expect(await refusal(f.users.admit("x"))).toBe("user_not_found");
    const until = new Date(f.clock.millis() + 10_000);
    await f.users.ban({ userId: user.id, reason: "x", until, bannedBy: user.id }, context(), warn);
    expect(await refusal(f.users.admit(user.id))).toBe("user_banned");
    expect((await f.users.liveness([user.id, nobody])).map((row) => row.allowed)).toEqual([false]);
    f.clock.advance(10);
    expect((await f.users.liveness([user.id]))[0]?.allowed).toBe(true);
    expect(await f.users.admit(user.id)).toMatchObject({
      bannedAt: null,
      bannedBy: null,
      updatedAt: f.clock.now(),
    });
  });
});

describe("bans", () => {
  it("overwrites, ends sessions, records and publishes", async () => {
    const user = await addUser(f);
    const admin = await addUser(f);
    const opened = await f.sessions.open({ userId: user.id, methods: [], origin: "registration" }, context());
    if (opened.kind !== "granted") throw new Error("refused");
    const by = context({ actor: `user:${admin.id}` });
    expect(
      await f.users.ban({ userId: user.id, reason: "  ", until: null, bannedBy: admin.id }, by, warn),
    ).toBe(true);
    expect(await f.users.byId(user.id)).toMatchObject({
      bannedAt: f.clock.now(),
      banReason: null,
      bannedBy: admin.id,
    });
    expect(await f.sessions.list(user.id)).toEqual([]);
    expect(f.feed.published.slice(-2).sort()).toEqual([`session:${opened.sessionId}`, `user:${user.id}`]);
    const [entry] = await f.audit.page({ action: "user.banned", target: `user:${user.id}` });
    expect(entry).toMatchObject({
      actor: `user:${admin.id}`,
      outcome: "ok",
      ip: "203.0.113.7",
      requestId: "request-1",
      details: { until: null, reason: null, bannedBy: admin.id, sessions: 1 },
    });
    expect(await f.users.unban(user.id, by)).toBe(true);
    expect(await f.users.unban(user.id, by)).toBe(false);
    expect(f.feed.published.at(-1)).toBe(`readmit:${user.id}`);
    expect(await actions(user.id)).toEqual(["user.banned", "user.unbanned"]);
  });

  it("refuses bad ids and times", async () => {
    const user = await addUser(f);
    const ban = (change: object) =>
      f.users.ban({ userId: user.id, reason: null, until: null, bannedBy: null, ...change }, context(), warn);
    expect(await refusal(ban({ userId: " " }))).toBe("invalid_user");
    expect(await refusal(ban({ until: f.clock.now() }))).toBe("invalid_until");
    expect(await refusal(ban({ bannedBy: "x" }))).toBe("invalid_user");
    expect(await refusal(ban({ bannedBy: nobody }))).toBe("user_not_found");
    expect(await ban({ userId: nobody })).toBe(false);
    expect((await f.users.byId(user.id))?.bannedAt).toBeNull();
  });
});

describe("deletion", () => {
  it("keeps the first deletion's time, restores, and removes for good", async () => {
    const user = await addUser(f, { passwordHash: "x" });
    await f.sessions.open({ userId: user.id, methods: [], origin: "registration" }, context());
    expect(await f.users.softDelete(user.id, context(), warn)).toBe(true);
    f.clock.advance(10);
    expect(await f.users.softDelete(user.id, context(), warn)).toBe(true);
    expect((await f.users.byId(user.id))?.deletedAt).toEqual(f.clock.now());
    expect(await f.users.softDelete(nobody, context(), warn)).toBe(false);
    expect(await f.sessions.list(user.id)).toEqual([]);
    expect(await f.users.restore(user.id, context())).toBe(true);
    expect(await f.users.restore(user.id, context())).toBe(false);
    expect(await f.users.hardDelete(user.id, context(), warn)).toBe(true);
    expect(await f.users.hardDelete(user.id, context(), warn)).toBe(false);
    expect(await f.users.byId(user.id)).toBeUndefined();
    expect(await actions(user.id)).toEqual([
      "user.soft_deleted",
      "user.soft_deleted",
      "user.restored",
      "user.hard_deleted",
    ]);
    expect((await f.audit.signIns(user.id)).map((row) => row.event)).toEqual(["session_created"]);
  });

  it("works through batches item by item", async () => {
    const user = await addUser(f);
    expect(await f.users.softDeleteMany([user.id, "x", nobody, user.id], context(), warn)).toEqual([
      { id: user.id },
      { id: "x", error: "invalid_user" },
      { id: nobody },
      { id: user.id },
    ]);
    expect(await f.users.restoreMany([user.id], context())).toEqual([{ id: user.id }]);
    expect(await f.users.hardDeleteMany([], context(), warn)).toEqual([]);
    const many = Array.from({ length: 1001 }, () => user.id);
    expect(await refusal(f.users.hardDeleteMany(many, context(), warn))).toBe("invalid_request");
    expect(await f.users.byId(user.id)).toBeDefined();
  });

  it("lists what was deleted before a moment, oldest first", async () => {
    const [a, b, c] = [await addUser(f), await addUser(f), await addUser(f)];
    await f.query(`DELETE FROM S.users WHERE deleted_at IS NOT NULL`);
    for (const user of [b, a, c]) {
      await f.users.softDelete(user.id, context(), warn);
      f.clock.advance(60);
    }
    const cutoff = new Date(f.clock.millis() - 60_000);
    expect(await f.users.deletedBefore(cutoff, 0)).toEqual([b.id, a.id]);
    expect(await f.users.deletedBefore(cutoff, 1)).toEqual([b.id]);
    expect(await f.users.deletedBefore(new Date(0), 0)).toEqual([]);
  });
});

describe("the last root owner", () => {
  async function root(...owners: string[]): Promise<void> {
    await f.query(`DELETE FROM S.permission_groups`);
    await f.query(`INSERT INTO S.permission_groups (persona) VALUES ('root')`);
    for (const owner of owners)
      await f.query(
        `INSERT INTO S.group_user_roles (permission_group_id, user_id, role) SELECT id, $1, 'owner' FROM S.permission_groups`,
        [owner],
      );
  }

  it("is guarded where asked, warned about otherwise", async () => {
    const [a, b] = [await addUser(f), await addUser(f)];
    await root(a.id, b.id);
    const guarded = { ownerGuard: "cannot_remove_last_owner" } as const;
    expect(await f.users.softDelete(b.id, context(), guarded)).toBe(true);
    expect(await refusal(f.users.softDelete(a.id, context(), guarded))).toBe("cannot_remove_last_owner");
    const ban = { userId: a.id, reason: null, until: null, bannedBy: null };
    expect(await refusal(f.users.ban(ban, context(), guarded))).toBe("cannot_remove_last_owner");
    const strict = { ownerGuard: "cannot_remove_last_admin_role" } as const;
    expect(await refusal(f.users.hardDelete(a.id, context(), strict))).toBe("cannot_remove_last_admin_role");
    f.log.lines.length = 0;
    expect(await f.users.ban(ban, context(), warn)).toBe(true);
    expect(f.log.lines.map((line) => line.message)).toEqual(["a group loses its last usable owner"]);
    // One deleted before stays deletable, or a purge would stop at it for ever.
    expect(await f.users.hardDelete(b.id, context(), strict)).toBe(true);
  });

  it("survives two owners leaving at once", async () => {
    const owners = [await addUser(f), await addUser(f)];
    await root(...owners.map((owner) => owner.id));
    const results = await Promise.all(
      owners.map((owner) =>
        refusal(f.users.softDelete(owner.id, context(), { ownerGuard: "cannot_remove_last_owner" })),
      ),
    );
    expect(results.filter((code) => code === "cannot_remove_last_owner")).toHaveLength(1);
  });
});

describe("renames", () => {
  it("follows rules, cooldown and history", async () => {
    const user = await addUser(f, { username: "First_Name" });
    expect(await f.users.rename(user.id, " first_name ", context())).toBe(true);
    expect((await f.users.byId(user.id))?.username).toBe("first_name");
    expect(await f.users.rename(user.id, "first_name", context())).toBe(false);
    expect(await f.users.renameAvailability(user.id)).toEqual({ seconds: 0, nextAllowedAt: undefined });
    expect(await f.users.rename(user.id, "SecondName", context())).toBe(true);
    expect(await f.users.aliases(user.id)).toEqual(["first_name"]);
    f.clock.advance(3600.5);
    const error = await f.users.rename(user.id, "third_name", context()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "rename_rate_limited",
      retryAfter: 71 * 3600,
      metadata: {
        cooldown_seconds: 259200,
        retry_after_seconds: 71 * 3600,
        reason: "cooldown",
        allowed: false,
      },
    });
    // A change of case neither needs nor starts a cooldown.
    expect(await f.users.rename(user.id, "secondname", context())).toBe(true);
    expect(await f.users.rename(user.id, "third_name", context(), { ignoreCooldown: true })).toBe(true);
    f.clock.advance(72 * 3600);
    expect(await f.users.rename(user.id, "fourth_name", context())).toBe(true);
    expect(await f.users.aliases(user.id)).toEqual(["first_name", "secondname", "third_name"]);
  });

  it("refuses taken, reserved and malformed names", async () => {
    const user = await addUser(f);
    const other = await addUser(f);
    expect(await refusal(f.users.rename(user.id, other.username?.toUpperCase() ?? "", context()))).toBe(
      "owner_slug_taken",
    );
    expect(await refusal(f.users.rename(user.id, "Admin", context()))).toBe("username_not_allowed");
    expect(await refusal(f.users.rename(user.id, "a-bc", context()))).toBe("username_invalid_characters");
    expect(await refusal(f.users.rename(nobody, "nobody", context()))).toBe("user_not_found");
  });

  it("lets accounts without a name, or with an odd one, take a name", async () => {
    const nameless = await addUser(f, { username: null });
    expect(await f.users.rename(nameless.id, "at_last", context())).toBe(true);
    expect(await f.users.aliases(nameless.id)).toEqual([]);
    const odd = await addUser(f, { username: "Ödd näme" });
    expect(await f.users.rename(odd.id, "even_name", context())).toBe(true);
  });

  it("lets one of two renames at once through", async () => {
    const user = await addUser(f);
    const results = await Promise.all(
      ["racer_one", "racer_two", "racer_three"].map((name) =>
        refusal(f.users.rename(user.id, name, context())),
      ),
    );
    expect(results.filter((code) => code === undefined)).toHaveLength(1);
    expect(results.filter((code) => code === "rename_rate_limited")).toHaveLength(2);
    expect(await f.users.aliases(user.id)).toHaveLength(1);
  });
});

describe("profile", () => {
  it("merges metadata shallowly", async () => {
    const user = await addUser(f);
    expect(await f.users.metadata(user.id)).toEqual({});
    expect(await f.users.patchMetadata(user.id, {}, context())).toBeUndefined();
    expect(await f.users.patchMetadata(nobody, {}, context())).toBeUndefined();
    expect(await f.users.patchMetadata(user.id, { a: { b: 1, c: 2 }, d: 1 }, context())).toEqual({
      a: { b: 1, c: 2 },
      d: 1,
    });
    expect(await f.users.patchMetadata(user.id, { a: { b: 3 }, d: null }, context())).toEqual({
      a: { b: 3 },
      d: null,
    });
    expect(await f.users.patchMetadata(user.id, { d: null }, context(), { own: true })).toEqual({
      a: { b: 3 },
    });
    expect(await refusal(f.users.patchMetadata(nobody, { a: 1 }, context()))).toBe("user_not_found");
    expect(await refusal(f.users.metadata(nobody))).toBe("user_not_found");
    expect(await refusal(f.users.metadata(" "))).toBe("invalid_user");
    expect(await refusal(f.users.patchMetadata(user.id, { a: "\u0000" }, context()))).toBe("invalid_request");
    expect(await f.users.patchMetadata(user.id, { a: "\\u0000" }, context())).toEqual({ a: "\\u0000" });
  });

  it("caps metadata but lets what is too large shrink", async () => {
    const user = await addUser(f);
    const own = { own: true };
    const patch = (size: number, options = {}) =>
      f.users.patchMetadata(user.id, { a: "x".repeat(size) }, context(), options);
    expect(await refusal(patch(17_000, own))).toBe("invalid_request");
    expect(await refusal(patch(66_000))).toBe("invalid_request");
    expect(await patch(17_000)).toMatchObject({});
    await f.query(`UPDATE S.users SET metadata = jsonb_build_object('a', repeat('x', 40000)) WHERE id = $1`, [
      user.id,
    ]);
    expect(await refusal(f.users.patchMetadata(user.id, { b: 1 }, context(), own))).toBe("invalid_request");
    expect(await patch(30_000, own)).toMatchObject({});
  });

  it("loses no member to a parallel patch", async () => {
    const user = await addUser(f);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => f.users.patchMetadata(user.id, { [`k${i}`]: i }, context())),
    );
    expect(Object.keys(await f.users.metadata(user.id))).toHaveLength(20);
  });

  it("ends sessions when an account becomes reserved", async () => {
    const user = await addUser(f);
    await f.sessions.open({ userId: user.id, methods: [], origin: "registration" }, context());
    await f.users.patchMetadata(user.id, { reserved: true }, context());
    expect(await f.sessions.list(user.id)).toEqual([]);
    expect(f.feed.published.at(-1)).toBe(`user:${user.id}`);
    await f.users.patchMetadata(user.id, { reserved: false }, context());
    expect(f.feed.published.at(-1)).toBe(`readmit:${user.id}`);
  });

  it("stores biography, avatar and language by their rules", async () => {
    const user = await addUser(f);
    await f.users.setOwnBiography(user.id, ` ${"😀".repeat(2001)} `);
    expect([...((await f.users.byId(user.id))?.biography ?? "")]).toHaveLength(2000);
    await f.users.setBiography(user.id, "  as is ");
    expect((await f.users.byId(user.id))?.biography).toBe("  as is ");
    expect(await f.users.setBiography(nobody, null)).toBe(false);
    await f.users.setAvatarUrl(user.id, " opaque-key ");
    expect((await f.users.byId(user.id))?.avatarUrl).toBe("opaque-key");
    await f.users.setAvatarUrl(user.id, " ");
    expect((await f.users.byId(user.id))?.avatarUrl).toBeNull();
    expect(await refusal(f.users.setAvatarUrl(user.id, "a\nb"))).toBe("avatar_url_invalid");
    expect(await refusal(f.users.setAvatarUrl(user.id, "x".repeat(2049)))).toBe("avatar_url_invalid");
    expect(await refusal(f.users.setAvatarUrl(nobody, null))).toBe("user_not_found");
    expect(await f.users.setPreferredLanguage(user.id, " DE ")).toBe("de");
    expect(await refusal(f.users.setPreferredLanguage(user.id, "en-US"))).toBe("invalid_preferred_language");
  });

  it("changes contacts", async () => {
    const user = await addUser(f);
    const other = await addUser(f);
    expect(
      await f.users.changeEmail(user.id, user.email?.toUpperCase() ?? "", false, context()),
    ).toBeUndefined();
    expect(await f.users.changeEmail(user.id, "New@Example.com", false, context())).toMatchObject({
      email: "new@example.com",
      emailVerified: false,
    });
    expect(await refusal(f.users.changeEmail(user.id, other.email ?? "", false, context()))).toBe(
      "email_in_use",
    );
    expect(await refusal(f.users.changeEmail(nobody, "x@y.zz", false, context()))).toBe("user_not_found");
    expect(await refusal(f.users.changePhone(user.id, other.phoneNumber ?? "", true, context()))).toBe(
      "phone_in_use",
    );
    expect(await f.users.changePhone(user.id, "+1 (555) 777-0000", true, context())).toMatchObject({
      phoneNumber: "+15557770000",
      phoneVerified: true,
    });
    expect(await f.users.setPhoneVerified(user.id, "+15550000000")).toBe(false);
    expect(await f.users.setPhoneVerified(user.id, "+15557770000")).toBe(true);
    f.clock.advance(1);
    await f.users.setEmailVerified(user.id, true);
    expect(await f.users.byId(user.id)).toMatchObject({ emailVerified: true, updatedAt: f.clock.now() });
  });
});

describe("recovery", () => {
  it("strips an account of all credentials and binds it anew", async () => {
    const user = await addUser(f, { passwordHash: "x" });
    const other = await addUser(f);
    const id = user.id;
    await f.sessions.open({ userId: id, methods: [], origin: "registration" }, context());
    await f.query(`INSERT INTO S.user_providers (user_id, issuer, subject) VALUES ($1, 'i', 'subject')`, [
      id,
    ]);
    await f.query(`INSERT INTO S.mfa_settings (user_id, enabled) VALUES ($1, true)`, [id]);
    await f.query(`INSERT INTO S.mfa_factors (user_id, method) VALUES ($1, 'email')`, [id]);
    await f.query(
      `INSERT INTO S.user_passkeys (user_id, rpid, credential_id, public_key) VALUES ($1, 'r', '\\x01', '\\x02')`,
      [id],
    );
    expect(await refusal(f.users.recover(id, { email: other.email ?? "" }, context()))).toBe("email_in_use");
    expect(await refusal(f.users.recover(id, { phone: other.phoneNumber ?? "" }, context()))).toBe(
      "phone_in_use",
    );
    expect(await refusal(f.users.recover(nobody, { email: "x@y.zz" }, context()))).toBe("not_found");
    expect(await f.sessions.list(id)).toHaveLength(1);
    expect(await f.users.recover(id, { email: "Safe@Example.com" }, context())).toMatchObject({
      email: "safe@example.com",
      emailVerified: true,
      phoneNumber: null,
      phoneVerified: false,
    });
    expect(await f.sessions.list(id)).toEqual([]);
    for (const table of ["user_passwords", "user_providers", "mfa_settings", "mfa_factors", "user_passkeys"])
      expect(await f.query(`SELECT FROM S.${table} WHERE user_id = $1`, [id])).toEqual([]);
    expect(await actions(id)).toEqual(["user.recovered"]);
  });
});
