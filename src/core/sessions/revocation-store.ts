import { type Queryable, sql } from "../../platform/postgres/port.ts";
import type { RevocationReason } from "./types.ts";

/**
 * The session under `alias` has not been revoked. Said in a way that matches no partial index's condition, for statements that find their
 * rows by another key: on tables not yet analysed such an index counts as empty, and PostgreSQL would read all of it instead.
 */
export function unrevoked(alias: string): string {
  return `num_nulls(${alias}.revoked_at) = 1`;
}

/** Revocation and its history rows are one statement: neither can exist without the other. */
function withEvents(s: string, update: string): string {
  return `
  WITH revoked AS (${update} RETURNING id, user_id, issuer),
  events AS (
    INSERT INTO ${s}.session_events (occurred_at, issuer, user_id, session_id, event, reason)
    SELECT $1, issuer, user_id::text, id::text, 'session_revoked', $2 FROM revoked
  )
  SELECT id FROM revoked`;
}

const revokeOne = sql("sessions.revokeOne", (s) =>
  withEvents(
    s,
    `UPDATE ${s}.refresh_sessions AS t SET revoked_at = $1
     WHERE id = $3 AND user_id = $4 AND issuer = $5 AND ${unrevoked("t")}`,
  ),
);

const revokeAll = sql("sessions.revokeAll", (s) =>
  withEvents(
    s,
    `UPDATE ${s}.refresh_sessions AS t SET revoked_at = $1
     WHERE user_id = $3 AND issuer = $4 AND ${unrevoked("t")} AND id IS DISTINCT FROM $5::uuid`,
  ),
);

const revokeFamily = sql("sessions.revokeFamily", (s) =>
  withEvents(
    s,
    `UPDATE ${s}.refresh_sessions AS t SET revoked_at = $1
     WHERE family_id = $3 AND user_id = $4 AND ${unrevoked("t")}`,
  ),
);

type Id = { readonly id: string };

async function ids(rows: Promise<Id[]>): Promise<string[]> {
  return (await rows).map((row) => row.id);
}

/** All return the ids of the sessions that were live until now. */
export const revocationStore = {
  one(on: Queryable, at: Date, reason: RevocationReason, sessionId: string, userId: string, issuer: string) {
    return ids(on.rows<Id>(revokeOne, [at, reason, sessionId, userId, issuer]));
  },
  all(
    on: Queryable,
    at: Date,
    reason: RevocationReason,
    userId: string,
    issuer: string,
    keep: string | null,
  ) {
    return ids(on.rows<Id>(revokeAll, [at, reason, userId, issuer, keep]));
  },
  family(on: Queryable, at: Date, reason: RevocationReason, familyId: string, userId: string) {
    return ids(on.rows<Id>(revokeFamily, [at, reason, familyId, userId]));
  },
};
