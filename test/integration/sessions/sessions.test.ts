import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashRefreshToken, type TokenGrant } from "../../../src/core/sessions/index.ts";
import { addUser, context, type Fixture, openFixture, refusal } from "../users/fixture.ts";

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
});
afterAll(() => f.close());

async function signIn(
  target: Pick<Fixture, "sessions">,
  userId: string,
  methods: readonly string[] = ["pwd"],
): Promise<TokenGrant> {
  const outcome = await target.sessions.open({ userId, methods, origin: "password_login" }, context());
  if (outcome.kind !== "granted") throw new Error(`unexpected ${outcome.kind}`);
  return outcome;
}

async function refresh(target: Pick<Fixture, "sessions">, token: string): Promise<TokenGrant> {
  const outcome = await target.sessions.refresh(token, context({ ip: "198.51.100.4", userAgent: "Other/1" }));
  if (outcome.kind !== "granted") throw new Error(`unexpected ${outcome.kind}`);
  return outcome;
}

/** Moves a session's last rotation into the past, seconds; negative: into the future. */
async function rotatedEarlier(sessionId: string, seconds: number): Promise<void> {
  await f.query(
    `UPDATE S.refresh_sessions SET previous_rotated_at = clock_timestamp() - $2::float8 * interval '1 second' WHERE id = $1`,
    [sessionId, seconds],
  );
}

async function events(userId: string): Promise<string[]> {
  const rows = await f.query<{ line: string }>(
    `SELECT concat_ws(' ', event, method, reason) AS line FROM S.session_events WHERE user_id = $1 ORDER BY id`,
    [userId],
  );
  return rows.map((row) => row.line);
}

describe("opening", () => {
  it("writes the session, its history and last_login, and leaves updated_at alone", async () => {
    const user = await addUser(f);
    f.clock.advance(60);
    const outcome = await f.sessions.open(
      {
        userId: user.id,
        methods: [" OAuth ", "oauth"],
        origin: "oidc_login",
        extraClaims: { provider: "google" },
      },
      context(),
    );
    if (outcome.kind !== "granted") throw new Error("refused");
    expect(outcome.expiresIn).toBe(900);
    expect(outcome.refreshToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(JSON.parse(outcome.accessToken)).toEqual({
      userId: user.id,
      session: { id: outcome.sessionId, authenticatedAt: f.clock.now().toISOString(), methods: ["oauth"] },
      mfaEnrolled: false,
      extra: { provider: "google" },
    });
    const [row] = await f.query(`SELECT *, host(ip_addr) AS ip FROM S.refresh_sessions WHERE id = $1`, [
      outcome.sessionId,
    ]);
    expect(row).toMatchObject({
      user_id: user.id,
      issuer: f.config.issuer,
      current_token_hash: hashRefreshToken(outcome.refreshToken),
      previous_token_hash: null,
      expires_at: null,
      last_authenticated_at: f.clock.now(),
      user_agent: "Mozilla/5.0",
      ip: "203.0.113.7",
      auth_methods: ["oauth"],
    });
    const after = await f.users.byId(user.id);
    expect(after?.lastLogin).toEqual(f.clock.now());
    expect(after?.updatedAt).toEqual(user.updatedAt);
    expect(await f.audit.signIns(user.id)).toEqual([
      {
        occurredAt: f.clock.now(),
        issuer: f.config.issuer,
        userId: user.id,
        sessionId: outcome.sessionId,
        event: "session_created",
        method: "oidc_login",
        reason: null,
        ip: "203.0.113.7",
        userAgent: "Mozilla/5.0",
      },
    ]);
  });

  it("refuses unknown, deleted, reserved and banned accounts and admits those whose ban has ended", async () => {
    const open = (userId: string) =>
      f.sessions.open({ userId, methods: [], origin: "registration" }, context());
    expect(await refusal(open("019f0000-0000-7000-8000-0000000000aa"))).toBe("user_not_found");
    const user = await addUser(f);
    await f.users.ban({ userId: user.id, reason: null, until: null, bannedBy: null }, context(), {
      ownerGuard: "warn",
    });
    expect(await refusal(open(user.id))).toBe("user_banned");
    await f.users.ban(
      { userId: user.id, reason: " spam ", until: new Date(f.clock.millis() + 5000), bannedBy: null },
      context(),
      { ownerGuard: "warn" },
    );
    expect(await refusal(open(user.id))).toBe("user_banned");
    f.clock.advance(5);
    expect((await open(user.id)).kind).toBe("granted");
    expect(await f.users.byId(user.id)).toMatchObject({ bannedAt: null, bannedUntil: null, banReason: null });
    expect(f.feed.published.at(-1)).toBe(`readmit:${user.id}`);
    await f.users.patchMetadata(user.id, { reserved: true }, context());
    expect(await refusal(open(user.id))).toBe("user_banned");
    await f.users.patchMetadata(user.id, { reserved: "true" }, context());
    expect((await open(user.id)).kind).toBe("granted");
    await f.users.softDelete(user.id, context(), { ownerGuard: "warn" });
    expect(await refusal(open(user.id))).toBe("user_banned");
  });

  it("leaves no session behind when nothing can be signed", async () => {
    const user = await addUser(f);
    f.tokens.signer = false;
    try {
      await expect(
        f.sessions.open({ userId: user.id, methods: [], origin: "registration" }, context()),
      ).rejects.toThrow();
    } finally {
      f.tokens.signer = true;
    }
    expect(await f.sessions.list(user.id)).toEqual([]);
    expect(await events(user.id)).toEqual([]);
  });

  it("ends the least recently used session beyond the cap", async () => {
    const user = await addUser(f);
    const grants: TokenGrant[] = [];
    for (let i = 0; i < 3; i++) {
      grants.push(await signIn(f, user.id));
      f.clock.advance(1);
    }
    const [first, second] = grants;
    if (first === undefined || second === undefined) throw new Error("no session");
    await refresh(f, first.refreshToken);
    f.clock.advance(1);
    const fourth = await signIn(f, user.id);
    const live = (await f.sessions.list(user.id)).map((session) => session.id);
    expect(live).toEqual([fourth.sessionId, first.sessionId, grants[2]?.sessionId]);
    expect(await events(user.id)).toContain("session_revoked evicted");
    expect(f.feed.published).toContain(`session:${second.sessionId}`);
    expect(await refusal(f.sessions.refresh(second.refreshToken, context()))).toBe("invalid_refresh_token");
  });

  it("keeps exactly the cap under 50 parallel sign-ins", async () => {
    const user = await addUser(f);
    const grants = await Promise.all(Array.from({ length: 50 }, () => signIn(f, user.id)));
    const live = (await f.sessions.list(user.id)).map((session) => session.id);
    expect(live).toHaveLength(3);
    expect(new Set(grants.map((grant) => grant.sessionId)).size).toBe(50);
    for (const id of live) expect(grants.some((grant) => grant.sessionId === id)).toBe(true);
    const lines = await events(user.id);
    expect(lines.filter((line) => line === "session_created password_login")).toHaveLength(50);
    expect(lines.filter((line) => line === "session_revoked evicted")).toHaveLength(47);
  });

  it("never lets a ban and sign-ins pass each other", async () => {
    const user = await addUser(f);
    const attempts = Array.from({ length: 30 }, () =>
      f.sessions
        .open({ userId: user.id, methods: [], origin: "password_login" }, context())
        .catch(() => undefined),
    );
    const ban = f.users.ban({ userId: user.id, reason: null, until: null, bannedBy: null }, context(), {
      ownerGuard: "warn",
    });
    await Promise.all([...attempts, ban]);
    expect(await f.sessions.list(user.id)).toEqual([]);
  });

  it("allows any number when there is no cap and expires sessions when asked to", async () => {
    const unlimited = f.with({ sessions: { maxPerUser: -1, refreshTtlSeconds: 100 } });
    const user = await addUser(f);
    for (let i = 0; i < 5; i++) await signIn(unlimited, user.id);
    const live = await unlimited.sessions.list(user.id);
    expect(live).toHaveLength(5);
    expect(live[0]?.expiresAt).toEqual(new Date(unlimited.clock.millis() + 100_000));
    const grant = await signIn(unlimited, user.id);
    unlimited.clock.advance(50);
    const next = await refresh(unlimited, grant.refreshToken);
    unlimited.clock.advance(50);
    expect(await unlimited.sessions.list(user.id)).toEqual([]);
    expect(await refusal(unlimited.sessions.refresh(next.refreshToken, context()))).toBe(
      "invalid_refresh_token",
    );
  });
});

describe("the second factor", () => {
  async function enroll(userId: string, method = "email"): Promise<void> {
    await f.query(`INSERT INTO S.mfa_settings (user_id, enabled, backup_codes) VALUES ($1, true, '{a,b}')`, [
      userId,
    ]);
    await f.query(`INSERT INTO S.mfa_factors (user_id, method, is_default) VALUES ($1, $2, true)`, [
      userId,
      method,
    ]);
  }

  it("hands off instead of opening when an enrolled account has not shown it", async () => {
    const user = await addUser(f);
    await enroll(user.id);
    const outcome = await f.sessions.open(
      { userId: user.id, methods: ["oauth"], origin: "oidc_login" },
      context(),
    );
    expect(outcome).toMatchObject({
      kind: "enrollment_required",
      secondFactorEnrolled: true,
      allowedMethods: ["email", "sms", "totp"],
      expiresIn: 600,
    });
    const grant = await signIn(f, user.id, ["pwd", "otp", "mfa"]);
    expect(JSON.parse(grant.accessToken).mfaEnrolled).toBe(true);
    expect(await f.mfaStates.of(user.id)).toEqual({
      enabled: true,
      backupCodes: 2,
      everEnrolled: true,
      factors: [{ id: expect.any(String), method: "email", isDefault: true, phoneNumber: null }],
    });
  });

  it("hands off at refresh without rotating when it was enrolled later", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    await enroll(user.id);
    expect((await f.sessions.refresh(grant.refreshToken, context())).kind).toBe("enrollment_required");
    expect(await f.sessions.current(grant.refreshToken)).toBe(grant.sessionId);
  });

  it("demands enrollment in mode `required`, nothing in mode `disabled`", async () => {
    const user = await addUser(f);
    const required = f.with({ mfa: { mode: "required" } });
    const outcome = await required.sessions.open(
      { userId: user.id, methods: [], origin: "registration" },
      context(),
    );
    expect(outcome).toMatchObject({ kind: "enrollment_required", secondFactorEnrolled: false });
    await enroll(user.id);
    const disabled = f.with({ mfa: { mode: "disabled" } });
    expect(JSON.parse((await signIn(disabled, user.id)).accessToken).mfaEnrolled).toBe(false);
  });

  it("demands enrollment of holders of a role that requires it", async () => {
    const user = await addUser(f);
    const group = "019f0000-0000-7000-8000-0000000000f1";
    await f.query(
      `INSERT INTO S.permission_groups (id, persona) VALUES ($1, 'root') ON CONFLICT DO NOTHING`,
      [group],
    );
    await f.query(
      `INSERT INTO S.group_user_roles (permission_group_id, user_id, role) VALUES ($1, $2, 'auditor')`,
      [group, user.id],
    );
    expect(
      (await f.sessions.open({ userId: user.id, methods: [], origin: "registration" }, context())).kind,
    ).toBe("granted");
    const strict = f.with({
      personas: [
        {
          name: "root",
          parent: "",
          roles: [{ name: "auditor", permissions: [], requiresMfa: true }],
          capabilities: { apiKeys: false, remoteApplications: false, customRoles: false },
          catalog: [],
          requireConsent: false,
          selfServiceCreation: false,
        },
      ],
    });
    const outcome = await strict.sessions.open(
      { userId: user.id, methods: [], origin: "registration" },
      context(),
    );
    expect(outcome.kind).toBe("enrollment_required");
    await f.query(
      `INSERT INTO S.group_custom_roles (permission_group_id, role, requires_mfa) VALUES ($1, 'auditor', true)`,
      [group],
    );
    const custom = await f.sessions.open({ userId: user.id, methods: [], origin: "registration" }, context());
    expect(custom.kind).toBe("enrollment_required");
    await f.query(`DELETE FROM S.permission_groups WHERE id = $1`, [group]);
  });
});

describe("refresh", () => {
  it("rotates and keeps what the session proved", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    const authenticatedAt = f.clock.now().toISOString();
    f.clock.advance(100);
    const next = await refresh(f, grant.refreshToken);
    expect(next.sessionId).toBe(grant.sessionId);
    expect(next.refreshToken).not.toBe(grant.refreshToken);
    expect(JSON.parse(next.accessToken).session).toEqual({
      id: grant.sessionId,
      authenticatedAt,
      methods: ["pwd"],
    });
    const [session] = await f.sessions.list(user.id);
    expect(session).toMatchObject({ ip: "198.51.100.4", userAgent: "Other/1", lastUsedAt: f.clock.now() });
    expect(await f.sessions.current(next.refreshToken)).toBe(grant.sessionId);
    expect(await refusal(f.sessions.current(grant.refreshToken))).toBe("invalid_refresh_token");
  });

  it("gives 50 parallel refreshes of one token one successor and logs nobody out", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => refresh(f, grant.refreshToken)));
    expect(new Set(outcomes.map((outcome) => outcome.refreshToken)).size).toBe(1);
    const successor = outcomes[0]?.refreshToken ?? "";
    expect(await f.sessions.current(successor)).toBe(grant.sessionId);
    expect((await refresh(f, successor)).sessionId).toBe(grant.sessionId);
  });

  it("answers a repeat within the grace window with the same successor and writes nothing", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    const next = await refresh(f, grant.refreshToken);
    const [before] = await f.query(`SELECT xmin::text, * FROM S.refresh_sessions WHERE id = $1`, [
      grant.sessionId,
    ]);
    // The window is judged by the database's clock alone.
    f.clock.advance(3_600);
    expect((await refresh(f, grant.refreshToken)).refreshToken).toBe(next.refreshToken);
    const [after] = await f.query(`SELECT xmin::text, * FROM S.refresh_sessions WHERE id = $1`, [
      grant.sessionId,
    ]);
    expect(after).toEqual(before);
  });

  it.each([29, -29])(
    "a repeat %d s after the rotation, whatever the clocks say, is within the window",
    async (age) => {
      const user = await addUser(f);
      const grant = await signIn(f, user.id);
      const next = await refresh(f, grant.refreshToken);
      await rotatedEarlier(grant.sessionId, age);
      expect((await refresh(f, grant.refreshToken)).refreshToken).toBe(next.refreshToken);
    },
  );

  it("takes a rotation in the future, from before the database's clock was set back, for an old one", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    await refresh(f, grant.refreshToken);
    await rotatedEarlier(grant.sessionId, -3_600);
    expect(await refusal(f.sessions.refresh(grant.refreshToken, context()))).toBe("invalid_refresh_token");
  });

  it("judges a repeat after the window as reuse and ends the family", async () => {
    const user = await addUser(f);
    const other = await signIn(f, user.id);
    const grant = await signIn(f, user.id);
    const next = await refresh(f, grant.refreshToken);
    await rotatedEarlier(grant.sessionId, 30.001);
    expect(await refusal(f.sessions.refresh(grant.refreshToken, context()))).toBe("invalid_refresh_token");
    expect(await refusal(f.sessions.refresh(next.refreshToken, context()))).toBe("invalid_refresh_token");
    expect((await f.sessions.list(user.id)).map((session) => session.id)).toEqual([other.sessionId]);
    expect((await events(user.id)).at(-1)).toBe("session_revoked refresh_reuse_detected");
    expect(f.feed.published.at(-1)).toBe(`session:${grant.sessionId}`);
  });

  it("does not recognise what lies further back than one rotation", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    const second = await refresh(f, grant.refreshToken);
    const third = await refresh(f, second.refreshToken);
    expect(await refusal(f.sessions.refresh(grant.refreshToken, context()))).toBe("invalid_refresh_token");
    expect(await f.sessions.current(third.refreshToken)).toBe(grant.sessionId);
  });

  it("without a grace window refuses the losers of a race and revokes nothing", async () => {
    const strict = f.with({ sessions: { rotationGraceSeconds: 0 } });
    const user = await addUser(f);
    const grant = await signIn(strict, user.id);
    // Both have read the current token before either rotates: hold the row, so that both swaps wait.
    const results = await strict.database.transaction(async (tx) => {
      await tx.run(
        {
          name: "test.holdSession",
          text: (s) => `SELECT FROM ${s}.refresh_sessions WHERE id = $1 FOR UPDATE`,
        },
        [grant.sessionId],
      );
      const racing = Array.from({ length: 8 }, () => strict.sessions.refresh(grant.refreshToken, context()));
      const settled = Promise.allSettled(racing);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { settled };
    });
    const outcomes = await results.settled;
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
    expect(await strict.sessions.list(user.id)).toHaveLength(1);
    // A repeat that comes later is reuse.
    expect(await refusal(strict.sessions.refresh(grant.refreshToken, context()))).toBe(
      "invalid_refresh_token",
    );
    expect(await strict.sessions.list(user.id)).toEqual([]);
  });

  it.each(["", " ", "x", "a".repeat(44), `${"a".repeat(42)}=`])(
    "refuses %j without looking",
    async (text) => {
      expect(await refusal(f.sessions.refresh(text, context()))).toBe("invalid_refresh_token");
    },
  );

  it("keeps issuers apart", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    const elsewhere = f.with({ issuer: "https://other.example" });
    expect(await refusal(elsewhere.sessions.refresh(grant.refreshToken, context()))).toBe(
      "invalid_refresh_token",
    );
    expect(await elsewhere.sessions.list(user.id)).toEqual([]);
    expect(await elsewhere.sessions.revoke(user.id, grant.sessionId, "logout", context())).toBe(false);
  });

  it("refuses the banned and keeps the token when signing fails", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    f.tokens.signer = false;
    await expect(f.sessions.refresh(grant.refreshToken, context())).rejects.toThrow("no signer");
    f.tokens.signer = true;
    const next = await refresh(f, grant.refreshToken);
    await f.query(`UPDATE S.users SET banned_at = now() WHERE id = $1`, [user.id]);
    expect(await refusal(f.sessions.refresh(next.refreshToken, context()))).toBe("user_banned");
    expect(await f.sessions.list(user.id)).toHaveLength(1);
  });
});

describe("revocation and fresh proof", () => {
  it("ends one, all, or all but one", async () => {
    const user = await addUser(f);
    const stranger = await addUser(f);
    const [a, b, c] = [await signIn(f, user.id), await signIn(f, user.id), await signIn(f, user.id)];
    expect(await f.sessions.revoke(stranger.id, a.sessionId, "user_revoke", context())).toBe(false);
    expect(await f.sessions.revoke(user.id, "nonsense", "user_revoke", context())).toBe(false);
    expect(await f.sessions.revoke(user.id, a.sessionId, "user_revoke", context())).toBe(true);
    expect(await f.sessions.revoke(user.id, a.sessionId, "user_revoke", context())).toBe(false);
    expect(await f.sessions.revokeAll(user.id, "password_change", context(), { keep: b.sessionId })).toBe(1);
    expect((await f.sessions.list(user.id)).map((session) => session.id)).toEqual([b.sessionId]);
    expect(await refusal(f.sessions.revokeAll(user.id, "user_revoke_all", context(), { keep: "x" }))).toBe(
      "invalid_request",
    );
    expect(await f.sessions.revokeAll(user.id, "user_revoke_all", context())).toBe(1);
    expect(f.feed.published).toContain(`session:${c.sessionId}`);
    expect((await events(user.id)).filter((line) => line.startsWith("session_revoked"))).toEqual([
      "session_revoked user_revoke",
      "session_revoked password_change",
      "session_revoked user_revoke_all",
    ]);
  });

  it("publishes only what was committed", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    const rolledBack = f.database.transaction(async (tx) => {
      await f.sessions.revokeAll(user.id, "password_change", context(), { tx });
      throw new Error("changed my mind");
    });
    await expect(rolledBack).rejects.toThrow("changed my mind");
    expect(f.feed.published).not.toContain(`session:${grant.sessionId}`);
    expect(await f.sessions.find(user.id, grant.sessionId)).toMatchObject({ id: grant.sessionId });
  });

  it("adds methods and moves the time of proof of a live session", async () => {
    const user = await addUser(f);
    const grant = await signIn(f, user.id);
    f.clock.advance(1000);
    const fresh = await f.sessions.reauthenticate(user.id, grant.sessionId, ["otp", "mfa", "pwd"], context());
    expect(fresh.methods).toEqual(["pwd", "otp", "mfa"]);
    expect(fresh.authenticatedAt).toEqual(f.clock.now());
    expect(JSON.parse(fresh.accessToken).session).toMatchObject({
      authenticatedAt: f.clock.now().toISOString(),
    });
    await f.sessions.revoke(user.id, grant.sessionId, "logout", context());
    expect(await refusal(f.sessions.reauthenticate(user.id, grant.sessionId, ["pwd"], context()))).toBe(
      "unauthorized",
    );
  });
});
