import { type Queryable, sql } from "../../platform/postgres/port.ts";
import { userColumns } from "./store.ts";
import type { UserRow } from "./types.ts";

/** One account, checked and in normal form, ready to be written. */
export interface ImportRow {
  readonly id: string;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly username: string;
  readonly emailVerified: boolean;
  readonly phoneVerified: boolean;
  readonly bannedAt: Date | null;
  readonly bannedUntil: Date | null;
  readonly banReason: string | null;
  readonly bannedBy: string | null;
  /** JSON text. */
  readonly metadata: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly password:
    | { readonly hash: string; readonly algorithm: string; readonly params: string | null }
    | undefined;
}

const insertUsers = sql(
  "users.importChunk",
  (s) => `
  INSERT INTO ${s}.users (id, email, phone_number, username, email_verified, phone_verified, banned_at, banned_until,
    ban_reason, banned_by, metadata, created_at, updated_at)
  SELECT id, email, phone_number, username, email_verified, phone_verified, banned_at, banned_until,
    ban_reason, banned_by, metadata::jsonb, created_at, updated_at
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::boolean[], $7::timestamptz[],
    $8::timestamptz[], $9::text[], $10::uuid[], $11::text[], $12::timestamptz[], $13::timestamptz[])
    AS given (id, email, phone_number, username, email_verified, phone_verified, banned_at, banned_until,
      ban_reason, banned_by, metadata, created_at, updated_at)
  ON CONFLICT DO NOTHING
  RETURNING id`,
);

const insertPasswords = sql(
  "users.importPasswords",
  (s) => `
  INSERT INTO ${s}.user_passwords (user_id, password_hash, hash_algo, hash_params, password_updated_at)
  SELECT user_id, hash, algorithm, params::jsonb, $5
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS given (user_id, hash, algorithm, params)`,
);

const existing = sql("users.existing", (s) => `SELECT id FROM ${s}.users WHERE id = ANY ($1::uuid[])`);

const updateImported = sql(
  "users.updateImported",
  (s) => `
  UPDATE ${s}.users AS u
  SET email = coalesce($2::text, u.email::text), phone_number = coalesce($3::text, u.phone_number), username = $4::text,
    email_verified = $5, email_proven = u.email_proven AND coalesce(u.email = $2::text::public.citext, true),
    phone_verified = $6, banned_at = $7, banned_until = $8, ban_reason = $9, banned_by = $10,
    metadata = u.metadata || $11::text::jsonb, created_at = least(u.created_at, $12::timestamptz), updated_at = $13
  WHERE u.id = $1
  RETURNING ${userColumns}`,
);

type Id = { readonly id: string };

export const importStore = {
  /** Ids of the rows that landed; the others met a name that is taken. */
  async insert(on: Queryable, rows: readonly ImportRow[]): Promise<ReadonlySet<string>> {
    const landed = await on.rows<Id>(insertUsers, [
      rows.map((row) => row.id),
      rows.map((row) => row.email),
      rows.map((row) => row.phoneNumber),
      rows.map((row) => row.username),
      rows.map((row) => row.emailVerified),
      rows.map((row) => row.phoneVerified),
      rows.map((row) => row.bannedAt),
      rows.map((row) => row.bannedUntil),
      rows.map((row) => row.banReason),
      rows.map((row) => row.bannedBy),
      rows.map((row) => row.metadata),
      rows.map((row) => row.createdAt),
      rows.map((row) => row.updatedAt),
    ]);
    return new Set(landed.map((row) => row.id));
  },

  async insertPasswords(on: Queryable, rows: readonly ImportRow[], at: Date): Promise<void> {
    const given = rows.flatMap((row) =>
      row.password === undefined ? [] : [{ id: row.id, ...row.password }],
    );
    if (given.length === 0) return;
    await on.run(insertPasswords, [
      given.map((row) => row.id),
      given.map((row) => row.hash),
      given.map((row) => row.algorithm),
      given.map((row) => row.params),
      at,
    ]);
  },

  async existing(on: Queryable, ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    return new Set((await on.rows<Id>(existing, [ids])).map((row) => row.id));
  },

  /** `createdAt` null keeps the stored one, an earlier one moves it. */
  update(
    on: Queryable,
    row: Omit<ImportRow, "password" | "createdAt">,
    createdAt: Date | null,
  ): Promise<UserRow | undefined> {
    return on.row<UserRow>(updateImported, [
      row.id,
      row.email,
      row.phoneNumber,
      row.username,
      row.emailVerified,
      row.phoneVerified,
      row.bannedAt,
      row.bannedUntil,
      row.banReason,
      row.bannedBy,
      row.metadata,
      createdAt,
      row.updatedAt,
    ]);
  },
};
