import { type Queryable, sql } from "../../platform/postgres/port.ts";

/** Deletes at most `$n` rows, passing over those somebody else holds. `where` uses the alias `t`. */
function batch(s: string, table: string, key: string, where: string, limit: string): string {
  return `
  DELETE FROM ${s}.${table} WHERE ${key} = ANY (ARRAY(
    SELECT t.${key} FROM ${s}.${table} AS t WHERE ${where} LIMIT ${limit} FOR UPDATE SKIP LOCKED))`;
}

const sessions = sql("cleanup.sessions", (s) =>
  batch(s, "refresh_sessions", "id", "t.revoked_at <= $1 OR t.expires_at <= $2", "$3"),
);

const inviteLinks = sql("cleanup.inviteLinks", (s) =>
  batch(s, "group_invite_links", "id", "least(t.redeemed_at, t.revoked_at, t.expires_at) < $1", "$2"),
);

const registrationInvites = sql("cleanup.registrationInvites", (s) =>
  batch(
    s,
    "account_registration_invites",
    "id",
    "least(t.consumed_at, t.revoked_at, t.expires_at) < $1",
    "$2",
  ),
);

const membershipInvites = sql("cleanup.membershipInvites", (s) =>
  batch(
    s,
    "group_membership_invites",
    "id",
    "least(t.accepted_at, t.declined_at, t.revoked_at, t.expires_at) < $1",
    "$2",
  ),
);

const sessionEvents = sql("cleanup.sessionEvents", (s) =>
  batch(s, "session_events", "id", "t.occurred_at < $1", "$2"),
);
const auditRows = sql("cleanup.auditRows", (s) => batch(s, "audit_log", "id", "t.occurred_at < $1", "$2"));

/** Each deletes one batch and answers how many rows that was. */
export const cleanupStore = {
  /** Sessions revoked until `revoked` or expired until `expired`. */
  sessions: (on: Queryable, revoked: Date, expired: Date, limit: number) =>
    on.run(sessions, [revoked, expired, limit]),
  inviteLinks: (on: Queryable, endedBefore: Date, limit: number) => on.run(inviteLinks, [endedBefore, limit]),
  registrationInvites: (on: Queryable, endedBefore: Date, limit: number) =>
    on.run(registrationInvites, [endedBefore, limit]),
  membershipInvites: (on: Queryable, endedBefore: Date, limit: number) =>
    on.run(membershipInvites, [endedBefore, limit]),
  sessionEvents: (on: Queryable, before: Date, limit: number) => on.run(sessionEvents, [before, limit]),
  auditRows: (on: Queryable, before: Date, limit: number) => on.run(auditRows, [before, limit]),
};
