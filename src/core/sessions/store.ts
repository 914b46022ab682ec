import { lookup, type Queryable, type SqlValue, sql } from "../../platform/postgres/port.ts";
import { unrevoked } from "./revocation-store.ts";
import { type SubjectRow, subjectColumns, subjectJoins } from "./subject.ts";
import type { SessionRow } from "./types.ts";

const selectSubject = lookup(
  "sessions.selectSubject",
  (s) => `SELECT ${subjectColumns(s, "$2")} FROM ${s}.users AS u ${subjectJoins(s)} WHERE u.id = $1`,
);

const lockSubject = sql(
  "sessions.lockSubject",
  (s) => `
  SELECT ${subjectColumns(s, "$2")} FROM ${s}.users AS u ${subjectJoins(s)} WHERE u.id = $1
  FOR NO KEY UPDATE OF u`,
);

// The row version in `touched` makes this a compare-and-swap on the account: when anything has changed since the gates looked at it –
// a ban, or another login – nothing happens. So the snapshot in which live sessions are counted holds every earlier login,
// and the cap is exact without an advisory lock.
const openSession = sql(
  "sessions.openSession",
  (s) => `
  WITH touched AS (
    UPDATE ${s}.users SET last_login = $3 WHERE id = $1 AND xmin = $2::xid RETURNING id
  ), evicted AS (
    UPDATE ${s}.refresh_sessions AS t SET revoked_at = $3
    WHERE t.user_id = $1 AND t.issuer = $4 AND ${unrevoked("t")} AND t.id IN (
      SELECT live.id FROM ${s}.refresh_sessions AS live
      WHERE live.user_id = $1 AND EXISTS (SELECT FROM touched) AND live.issuer = $4 AND ${unrevoked("live")}
        AND (live.expires_at IS NULL OR live.expires_at > $3)
      ORDER BY live.last_used_at DESC, live.id DESC OFFSET $5
    )
    RETURNING t.id
  ), inserted AS (
    INSERT INTO ${s}.refresh_sessions (id, user_id, issuer, family_id, current_token_hash, created_at, last_used_at,
      last_authenticated_at, expires_at, user_agent, ip_addr, auth_methods)
    SELECT $6::uuid, $1::uuid, $4, $7, $8, $3, $3, $3, $9::timestamptz, $10, $11::inet, $12::text[] FROM touched
  ), events AS (
    INSERT INTO ${s}.session_events (occurred_at, issuer, user_id, session_id, event, method, reason, ip_addr, user_agent)
    SELECT $3, $4, $1::uuid::text, id::text, 'session_revoked', NULL, 'evicted', NULL, NULL FROM evicted
    UNION ALL
    SELECT $3, $4, $1::uuid::text, $6::uuid::text, 'session_created', $13, NULL, host($11::inet), $10 FROM touched
  )
  SELECT ARRAY(SELECT id::text FROM evicted) AS evicted FROM touched`,
);

const refreshColumns = (s: string, roles: string) => `
  t.id, t.family_id AS "familyId", t.created_at AS "createdAt", t.last_authenticated_at AS "lastAuthenticatedAt",
  t.expires_at AS "expiresAt", t.auth_methods AS "authMethods", ${subjectColumns(s, roles)}`;

const selectByCurrent = lookup(
  "sessions.selectByCurrent",
  (s) => `
  SELECT ${refreshColumns(s, "$3")}
  FROM ${s}.refresh_sessions AS t JOIN ${s}.users AS u ON u.id = t.user_id ${subjectJoins(s)}
  WHERE t.current_token_hash = $1 AND t.issuer = $2 AND t.revoked_at IS NULL
    AND (t.expires_at IS NULL OR t.expires_at > $4)`,
);

const selectByPrevious = lookup(
  "sessions.selectByPrevious",
  (s) => `
  SELECT t.current_token_hash AS "currentHash", t.previous_successor_sealed AS "sealed",
    extract(epoch FROM clock_timestamp() - t.previous_rotated_at)::float8 AS "secondsAgo", ${refreshColumns(s, "$3")}
  FROM ${s}.refresh_sessions AS t JOIN ${s}.users AS u ON u.id = t.user_id ${subjectJoins(s)}
  WHERE t.previous_token_hash = $1 AND t.issuer = $2 AND t.revoked_at IS NULL`,
);

// The moment of the rotation is the database's: nodes whose clocks differ judge the grace window alike.
const rotate = sql(
  "sessions.rotate",
  (s) => `
  UPDATE ${s}.refresh_sessions AS t
  SET previous_token_hash = current_token_hash, current_token_hash = $4, previous_successor_sealed = $5,
    previous_rotated_at = clock_timestamp(), last_used_at = $6, user_agent = $7, ip_addr = $8::inet
  WHERE t.id = $1 AND t.user_id = $2 AND t.current_token_hash = $3 AND ${unrevoked("t")}`,
);

const sessionColumns = `
  id, family_id AS "familyId", created_at AS "createdAt", last_used_at AS "lastUsedAt",
  last_authenticated_at AS "lastAuthenticatedAt", expires_at AS "expiresAt", revoked_at AS "revokedAt",
  user_agent AS "userAgent", host(ip_addr) AS ip, auth_methods AS "authMethods"`;

const selectLive = lookup(
  "sessions.selectLive",
  (s) => `
  SELECT ${sessionColumns} FROM ${s}.refresh_sessions AS t
  WHERE user_id = $1 AND issuer = $2 AND ${unrevoked("t")} AND (expires_at IS NULL OR expires_at > $3)
    AND ($4::uuid IS NULL OR id = $4)
  ORDER BY last_used_at DESC, id DESC`,
);

const prove = sql(
  "sessions.prove",
  (s) => `
  UPDATE ${s}.refresh_sessions AS t
  SET last_authenticated_at = $4,
    auth_methods = ARRAY(SELECT m FROM unnest(auth_methods || $5::text[]) WITH ORDINALITY AS p (m, n) GROUP BY m ORDER BY min(n))
  WHERE id = $1 AND user_id = $2 AND issuer = $3 AND ${unrevoked("t")} AND (expires_at IS NULL OR expires_at > $4)
  RETURNING auth_methods AS "authMethods"`,
);

export interface RefreshRow extends SubjectRow {
  readonly id: string;
  readonly familyId: string;
  readonly createdAt: Date;
  readonly lastAuthenticatedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly authMethods: readonly string[];
}

export interface RotatedRow extends RefreshRow {
  readonly currentHash: Buffer;
  readonly sealed: Buffer | null;
  /** Seconds since the rotation; null when it is not known. */
  readonly secondsAgo: number | null;
}

export interface NewSession {
  readonly id: string;
  readonly familyId: string;
  readonly tokenHash: Buffer;
  readonly at: Date;
  readonly expiresAt: Date | null;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly methods: readonly string[];
  readonly origin: string;
  /** Live sessions that may stay beside the new one. */
  readonly others: number;
}

export const sessionStore = {
  subject(on: Queryable, userId: string, roles: readonly string[]): Promise<SubjectRow | undefined> {
    return on.row<SubjectRow>(selectSubject, [userId, roles]);
  },
  /** The same, holding the account's row until the transaction ends. */
  lockedSubject(on: Queryable, userId: string, roles: readonly string[]): Promise<SubjectRow | undefined> {
    return on.row<SubjectRow>(lockSubject, [userId, roles]);
  },
  /** Ids of the sessions that had to go; undefined when the account has changed since `version` was read. */
  async open(
    on: Queryable,
    subject: Pick<SubjectRow, "userId" | "version">,
    issuer: string,
    session: NewSession,
  ): Promise<readonly string[] | undefined> {
    const values: SqlValue[] = [
      subject.userId,
      subject.version,
      session.at,
      issuer,
      session.others,
      session.id,
      session.familyId,
      session.tokenHash,
      session.expiresAt,
      session.userAgent,
      session.ip,
      session.methods,
      session.origin,
    ];
    return (await on.row<{ readonly evicted: readonly string[] }>(openSession, values))?.evicted;
  },
  /** The live session whose current token this is. */
  byCurrent(on: Queryable, hash: Buffer, issuer: string, roles: readonly string[], now: Date) {
    return on.row<RefreshRow>(selectByCurrent, [hash, issuer, roles, now]);
  },
  /** The unrevoked session whose last rotated token this is, expired or not. */
  byPrevious(on: Queryable, hash: Buffer, issuer: string, roles: readonly string[]) {
    return on.row<RotatedRow>(selectByPrevious, [hash, issuer, roles]);
  },
  /** Compare-and-swap of the token; false when another refresh or a revocation came first. */
  async rotate(
    on: Queryable,
    session: Pick<RefreshRow, "id" | "userId">,
    presented: Buffer,
    successor: { readonly hash: Buffer; readonly sealed: Buffer | null },
    use: { readonly at: Date; readonly userAgent: string | null; readonly ip: string | null },
  ): Promise<boolean> {
    const values = [session.id, session.userId, presented, successor.hash, successor.sealed];
    return (await on.run(rotate, [...values, use.at, use.userAgent, use.ip])) === 1;
  },
  /** Live sessions of a user, most recently used first; only the one with `id` when given. */
  live(
    on: Queryable,
    userId: string,
    issuer: string,
    now: Date,
    id: string | null = null,
  ): Promise<SessionRow[]> {
    return on.rows<SessionRow>(selectLive, [userId, issuer, now, id]);
  },
  /** Marks a fresh proof; the methods afterwards, or undefined when the session is not live. */
  async prove(
    on: Queryable,
    session: { readonly id: string; readonly userId: string; readonly issuer: string },
    at: Date,
    add: readonly string[],
  ): Promise<readonly string[] | undefined> {
    const values = [session.id, session.userId, session.issuer, at, add];
    return (await on.row<{ readonly authMethods: readonly string[] }>(prove, values))?.authMethods;
  },
};
