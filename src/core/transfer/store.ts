import { type Queryable, sql } from "../../platform/postgres/port.ts";

/** One account as it can be imported elsewhere. */
export interface ExportedUser {
  readonly id: string;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly username: string | null;
  readonly emailVerified: boolean;
  readonly phoneVerified: boolean;
  readonly bannedAt: Date | null;
  readonly bannedUntil: Date | null;
  readonly banReason: string | null;
  readonly bannedBy: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly passwordHash: string | null;
  readonly hashAlgo: string | null;
  readonly hashParams: unknown;
}

/** Keeps two imports of the same source apart until the transaction ends. */
const lock = sql(
  "transfer.lock",
  () => `SELECT pg_advisory_xact_lock(hashtextextended('authkit.import.' || $1::text, 0))`,
);

const lastProgress = sql(
  "transfer.lastProgress",
  (s) => `
  SELECT details FROM ${s}.audit_log
  WHERE target = $1 AND action = 'user.imported' AND details ? 'position'
  ORDER BY (details ->> 'run')::int DESC, (details ->> 'position')::bigint DESC LIMIT 1`,
);

/** A cursor reads both tables once; pages by key would leave it to the planner to read them again for each. */
const openExport = sql(
  "transfer.openExport",
  (s) => `
  DECLARE authkit_export NO SCROLL CURSOR FOR
  SELECT u.id, u.email::text AS email, u.phone_number AS "phoneNumber", u.username::text AS username,
    u.email_verified AS "emailVerified", u.phone_verified AS "phoneVerified", u.banned_at AS "bannedAt",
    u.banned_until AS "bannedUntil", u.ban_reason AS "banReason", u.banned_by AS "bannedBy", u.metadata,
    u.created_at AS "createdAt", u.updated_at AS "updatedAt",
    p.password_hash AS "passwordHash", p.hash_algo AS "hashAlgo", p.hash_params AS "hashParams"
  FROM ${s}.users AS u LEFT JOIN ${s}.user_passwords AS p ON p.user_id = u.id
  WHERE u.deleted_at IS NULL
  ORDER BY u.id`,
);

const nextExported = sql("transfer.nextExported", () => "FETCH FORWARD 1000 FROM authkit_export");

export const transferStore = {
  lock: (on: Queryable, source: string) => on.run(lock, [source]),
  async lastProgress(on: Queryable, target: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const row = await on.row<{ readonly details: Readonly<Record<string, unknown>> }>(lastProgress, [target]);
    return row?.details;
  },
  /** Inside a transaction; the cursor ends with it. */
  openExport: (on: Queryable) => on.run(openExport),
  nextExported: (on: Queryable) => on.rows<ExportedUser>(nextExported),
};
