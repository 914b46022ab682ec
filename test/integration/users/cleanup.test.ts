import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanExpiredState } from "../../../src/core/cleanup/index.ts";
import { purgeDeletedUsers } from "../../../src/jobs/cleanup/index.ts";
import { addUser, context, type Fixture, openFixture } from "./fixture.ts";

let f: Fixture;
beforeAll(async () => {
  f = await openFixture({ sessions: { maxPerUser: -1 } });
});
afterAll(() => f.close());

const day = 86_400;
const nothing = {
  sessions: 0,
  inviteLinks: 0,
  registrationInvites: 0,
  membershipInvites: 0,
  sessionEvents: 0,
  auditRows: 0,
  ephemeral: 0,
  rateLimits: 0,
};

async function count(table: string): Promise<number> {
  const [row] = await f.query<{ n: number }>(`SELECT count(*)::int AS n FROM S.${table}`);
  return row?.n ?? -1;
}

describe("cleaning up", () => {
  it("removes revoked sessions once no token of theirs can live, and expired ones at once", async () => {
    const user = await addUser(f);
    const open = async () => {
      const outcome = await f.sessions.open(
        { userId: user.id, methods: [], origin: "registration" },
        context(),
      );
      return outcome.kind === "granted" ? outcome.sessionId : "";
    };
    const [live, revoked, expired] = [await open(), await open(), await open()];
    await f.sessions.revoke(user.id, revoked, "logout", context());
    await f.query(`UPDATE S.refresh_sessions SET expires_at = $2 WHERE id = $1`, [expired, f.clock.now()]);
    expect(await cleanExpiredState(f.platform, { keepRevokedMillis: 0 })).toEqual({
      ...nothing,
      sessions: 1,
    });
    f.clock.advance(1000);
    expect(await cleanExpiredState(f.platform)).toEqual(nothing);
    expect(await cleanExpiredState(f.platform, { keepRevokedMillis: 0 })).toEqual({
      ...nothing,
      sessions: 1,
    });
    expect((await f.sessions.list(user.id)).map((session) => session.id)).toEqual([live]);
  });

  it("works in batches, beside itself, and passes over locked rows", async () => {
    const user = await addUser(f);
    await f.query(
      `INSERT INTO S.refresh_sessions (user_id, issuer, current_token_hash, revoked_at)
       SELECT $1, 'i', decode(md5(n::text), 'hex'), '2020-01-01' FROM generate_series(1, 500) AS n`,
      [user.id],
    );
    await f.query("BEGIN");
    await f.query(`SELECT FROM S.refresh_sessions WHERE revoked_at = '2020-01-01' LIMIT 5 FOR UPDATE`);
    const reports = await Promise.all([1, 2].map(() => cleanExpiredState(f.platform, { batchSize: 50 })));
    expect(reports.reduce((sum, report) => sum + report.sessions, 0)).toBe(495);
    await f.query("ROLLBACK");
    expect((await cleanExpiredState(f.platform)).sessions).toBe(5);
  });

  it("keeps history and audit as long as configured, invites for 90 days after their end", async () => {
    const user = await addUser(f);
    await f.query(`DELETE FROM S.session_events`);
    await f.query(`DELETE FROM S.audit_log`);
    const keeping = f.with({ retention: { sessionEventDays: 365, auditDays: -1 } });
    await f.audit.session({ event: "session_failed", userId: user.id, sessionId: "" }, context());
    await f.audit.record({ action: "user.updated", target: undefined, outcome: "ok" }, context());
    const [group] = await f.query<{ id: string }>(
      `INSERT INTO S.permission_groups (persona) VALUES ('root') RETURNING id`,
    );
    const at = f.clock.now();
    const future = new Date(at.getTime() + 1000 * day * 1000);
    await f.query(
      `INSERT INTO S.group_invite_links (permission_group_id, role, invited_by, code_hash, redeemed_at, expires_at)
       VALUES ($1, 'owner', $2, 'a', $3, $4), ($1, 'owner', $2, 'b', NULL, $4), ($1, 'owner', $2, 'c', NULL, NULL)`,
      [group?.id, user.id, at, future],
    );
    await f.query(
      `INSERT INTO S.account_registration_invites (email, invited_by, code_hash, expires_at, revoked_at)
       VALUES ('a@b.c', $1, 'a', $3, $2), ('a@b.c', $1, 'b', $2, NULL), ('a@b.c', $1, 'c', $3, NULL)`,
      [user.id, at, future],
    );
    await f.query(
      `INSERT INTO S.group_membership_invites (permission_group_id, user_id, role, invited_by, expires_at, declined_at)
       VALUES ($1, $2, 'owner', $2, $4, $3), ($1, $2, 'owner', $2, $4, NULL)`,
      [group?.id, user.id, at, future],
    );
    keeping.clock.advance((at.getTime() - keeping.clock.millis()) / 1000 + 90 * day);
    expect(await cleanExpiredState(keeping.platform)).toEqual(nothing);
    keeping.clock.advance(1);
    expect(await cleanExpiredState(keeping.platform)).toEqual({
      ...nothing,
      inviteLinks: 1,
      registrationInvites: 2,
      membershipInvites: 1,
    });
    expect(await count("group_invite_links")).toBe(2);
    keeping.clock.advance(275 * day - 1);
    expect(await cleanExpiredState(keeping.platform)).toEqual(nothing);
    keeping.clock.advance(1);
    expect(await cleanExpiredState(keeping.platform)).toEqual({ ...nothing, sessionEvents: 1 });
    expect(await count("audit_log")).toBe(1);
    const short = f.with({ retention: { auditDays: 0 } });
    short.clock.advance((at.getTime() - short.clock.millis()) / 1000 + 1);
    expect((await cleanExpiredState(short.platform)).auditRows).toBe(1);
  });

  it("purges accounts deleted long enough ago", async () => {
    await f.query(`DELETE FROM S.users`);
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) {
      const user = await addUser(f);
      ids.push(user.id);
      if (i < 5) await f.users.softDelete(user.id, context(), { ownerGuard: "warn" });
      f.clock.advance(day);
    }
    // Deleted 7, 6, 5, 4 and 3 days ago.
    expect(await purgeDeletedUsers(f.platform, f.users, { days: 4, batchSize: 2 })).toBe(3);
    expect((await f.users.byIds(ids)).map((user) => user.id).sort()).toEqual(ids.slice(3).sort());
    expect(await purgeDeletedUsers(f.platform, f.users, { days: 0 })).toBe(0);
  });
});
