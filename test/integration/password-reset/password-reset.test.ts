import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addUser, context, type Fixture, openFixture, refusal } from "../registration/fixture.ts";

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
});
afterAll(() => f.close());

async function accountWithPassword(password = "old password") {
  const passwordHash = await f.passwords.hash(password, context());
  const user = await addUser(f, { passwordHash });
  const open = { userId: user.id, methods: ["pwd"], origin: "password_login" } as const;
  await f.sessions.open(open, context());
  return { ...user, email: user.email ?? "", phone: user.phoneNumber ?? "" };
}

async function linkFor(address: string, channel: "email" | "phone" = "email"): Promise<string> {
  await f.passwordReset.request(channel, address, context());
  await f.serveBackground();
  return f.messages.token(address);
}

describe("asking for a reset", () => {
  it("writes the same kind of job for every address, unreadable, and sends nothing by itself", async () => {
    const user = await accountWithPassword();
    await f.passwordReset.request("email", user.email, context());
    await f.passwordReset.request("email", `x${user.email}`.slice(0, user.email.length), context());
    const [known, unknown] = f.queue.jobs.map((job) => JSON.stringify(job));
    expect(known).toHaveLength(unknown?.length ?? 0);
    expect(known).not.toContain(user.email);
    expect(f.messages.sent).toEqual([]);
    await f.serveBackground();
    expect(f.messages.sent).toHaveLength(1);
    expect(f.messages.last(user.email)).toMatchObject({
      kind: "password_reset",
      channel: "email",
      username: user.username,
      ttlSeconds: 3600,
    });
    expect(f.messages.last(user.email).url).toMatch(/reset\?channel=email&token=[\w-]{43}$/);
    const [event] = await f.query(
      "SELECT event, method, ip_addr FROM S.session_events WHERE user_id = $1 AND event = 'password_recovery'",
      [user.id],
    );
    expect(event).toMatchObject({ method: "email", ip_addr: "203.0.113.7" });
  });

  it("sends nothing to deleted and banned accounts", async () => {
    const [banned, deleted] = [await accountWithPassword(), await accountWithPassword()];
    await f.users.ban({ userId: banned.id, reason: null, until: null, bannedBy: null }, context(), {
      ownerGuard: "warn",
    });
    await f.users.softDelete(deleted.id, context(), { ownerGuard: "warn" });
    const before = f.messages.sent.length;
    for (const { email } of [banned, deleted]) await f.passwordReset.request("email", email, context());
    await f.serveBackground();
    expect(f.messages.sent).toHaveLength(before);
  });
});

describe("redeeming a reset link", () => {
  it("sets the password, ends all sessions, tells the owner, and works once", async () => {
    const user = await accountWithPassword();
    const token = await linkFor(user.email);
    expect(await f.passwordReset.confirm(token, "new password", context())).toBe(user.id);
    expect(await f.passwords.verify(user.id, "new password", context())).toBe("match");
    expect(await f.sessions.list(user.id)).toEqual([]);
    expect(f.messages.last(user.email)).toMatchObject({ kind: "notice_password_changed" });
    expect(await refusal(f.passwordReset.confirm(token, "new password", context()))).toBe(
      "invalid_or_expired_token",
    );
    const reasons = await f.query(
      "SELECT DISTINCT reason FROM S.session_events WHERE user_id = $1 AND event = 'session_revoked'",
      [user.id],
    );
    expect(reasons).toEqual([{ reason: "password_change" }]);
  });

  it("is not used up by a password that is refused", async () => {
    const user = await accountWithPassword();
    const token = await linkFor(user.phone, "phone");
    expect(await refusal(f.passwordReset.confirm(token, "short", context()))).toBe("password_too_short");
    expect(await refusal(f.passwordReset.confirm("unknown", "short", context()))).toBe("password_too_short");
    expect(await refusal(f.passwordReset.confirm("unknown", "new password", context()))).toBe(
      "invalid_or_expired_token",
    );
    expect(await f.passwordReset.confirm(token, "new password", context())).toBe(user.id);
  });

  it("one of fifty simultaneous redemptions wins", async () => {
    const user = await accountWithPassword();
    const token = await linkFor(user.email);
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        refusal(f.passwordReset.confirm(token, `new password ${n}`, context())),
      ),
    );
    expect(results.filter((code) => code === undefined)).toHaveLength(1);
    expect(new Set(results)).toEqual(new Set([undefined, "invalid_or_expired_token"]));
  });

  it("only the newest link counts, and it dies with the password it was asked for", async () => {
    const user = await accountWithPassword();
    const first = await linkFor(user.email);
    const second = await linkFor(user.email);
    expect(await refusal(f.passwordReset.confirm(first, "new password", context()))).toBe(
      "invalid_or_expired_token",
    );
    const proof = { kind: "current", password: "old password" } as const;
    await f.passwordChanges.change(user.id, proof, "changed password", null, context());
    expect(await refusal(f.passwordReset.confirm(second, "new password", context()))).toBe(
      "invalid_or_expired_token",
    );
    expect(await f.passwords.verify(user.id, "changed password", context())).toBe("match");
  });

  it("stays alive when a login renews the format of the password, and when storing fails", async () => {
    const user = await accountWithPassword();
    await f.query(
      "UPDATE S.user_passwords SET password_hash = '$2b$04$.uKB.uKB.uKB.uKB.uKB.u2kF7kijiyxCVrbpyH9OaylvhQ5Y1gSO', hash_algo = 'bcrypt' WHERE user_id = $1",
      [user.id],
    );
    const token = await linkFor(user.email);
    expect(await f.passwords.verify(user.id, "pässword\0x", context())).toBe("match");
    await f.query("ALTER TABLE S.audit_log RENAME TO audit_log_away");
    await expect(f.passwordReset.confirm(token, "new password", context())).rejects.toThrow();
    await f.query("ALTER TABLE S.audit_log_away RENAME TO audit_log");
    await f.passwordReset.confirm(token, "new password", context());
    expect(await f.passwords.verify(user.id, "new password", context())).toBe("match");
  });

  it("lifts an imported account that has to reset, and gives a first password to one without", async () => {
    const imported = await accountWithPassword();
    await f.query(
      "UPDATE S.user_passwords SET password_hash = 'x', hash_algo = 'legacy-reset-required' WHERE user_id = $1",
      [imported.id],
    );
    const login = (password: string) => f.passwordLogin.signIn(imported.email, password, context());
    expect(await refusal(login("old password"))).toBe("password_reset_required");
    await f.passwordReset.confirm(await linkFor(imported.email), "new password", context());
    expect((await login("new password")).kind).toBe("granted");
    const bare = await addUser(f);
    await f.passwordReset.confirm(await linkFor(bare.email ?? ""), "first password", context());
    expect(await f.passwords.verify(bare.id, "first password", context())).toBe("match");
  });

  it("can be taken back", async () => {
    const user = await accountWithPassword();
    const token = await linkFor(user.email);
    await f.passwordReset.cancel(user.id);
    expect(await refusal(f.passwordReset.confirm(token, "new password", context()))).toBe(
      "invalid_or_expired_token",
    );
  });
});
