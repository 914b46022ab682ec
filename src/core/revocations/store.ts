import { lookup, type Queryable, sql } from "../../platform/postgres/port.ts";
import type { AccessState } from "../users/access.ts";

/** `$1` seconds ago by the database's clock: that of the node asking may have been wrong, or set, since it asked last. */
const past = "now() - $1::float8 * interval '1 second'";

// Accounts removed for good leave only their audit row; being reserved has no date of its own.
const revokedUsers = sql(
  "revocations.listUsers",
  (s) => `
  SELECT id::text FROM ${s}.users WHERE deleted_at IS NULL AND banned_at IS NOT NULL AND banned_at >= ${past}
  UNION
  SELECT id::text FROM ${s}.users WHERE deleted_at IS NOT NULL AND deleted_at >= ${past}
  UNION
  SELECT substr(target, 6) FROM ${s}.audit_log
  WHERE occurred_at >= ${past} AND target LIKE 'user:%'
    AND (action IN ('user.hard_deleted', 'user.purged', 'user.soft_deleted', 'user.banned')
      OR (action = 'user.metadata_changed' AND details -> 'reserved' = 'true'::jsonb))`,
);

// The sweep may have removed the row of an ended session before the last token of it has expired; its event stays.
const revokedSessions = sql(
  "revocations.listSessions",
  (s) => `
  SELECT id::text FROM ${s}.refresh_sessions WHERE revoked_at IS NOT NULL AND revoked_at >= ${past}
  UNION
  SELECT session_id FROM ${s}.session_events WHERE occurred_at >= ${past} AND event = 'session_revoked'`,
);

const selectAccess = lookup(
  "revocations.selectAccess",
  (s) => `
  SELECT u.deleted_at AS "deletedAt", coalesce(u.metadata -> 'reserved' = 'true'::jsonb, false) AS reserved,
    u.banned_at AS "bannedAt", u.banned_until AS "bannedUntil", u.ban_reason AS "banReason", u.banned_by AS "bannedBy",
    $2::uuid IS NULL OR EXISTS (
      SELECT FROM ${s}.refresh_sessions AS t WHERE t.id = $2::uuid AND t.user_id = u.id AND t.revoked_at IS NULL
    ) AS "sessionLive"
  FROM ${s}.users AS u WHERE u.id = $1::uuid`,
);

export interface AccessRow extends AccessState {
  /** True as well when no session was asked for. */
  readonly sessionLive: boolean;
}

type Id = { readonly id: string };

export const revocationsStore = {
  /** Accounts that may have been shut out in the last `seconds`. */
  async users(on: Queryable, seconds: number): Promise<string[]> {
    return (await on.rows<Id>(revokedUsers, [seconds])).map((row) => row.id);
  },
  /** Sessions ended in the last `seconds`. */
  async sessions(on: Queryable, seconds: number): Promise<string[]> {
    return (await on.rows<Id>(revokedSessions, [seconds])).map((row) => row.id);
  },
  /** Undefined when the user does not exist. */
  access(on: Queryable, userId: string, sessionId: string | null): Promise<AccessRow | undefined> {
    return on.row<AccessRow>(selectAccess, [userId, sessionId]);
  },
};
