import { lookup, type Queryable, type SqlValue, sql } from "../../platform/postgres/port.ts";
import type { NewUser, UserRow } from "./types.ts";

/** Select list of a {@link UserRow} over the alias `u`. */
export const userColumns = `
  u.id, u.email::text AS email, u.username::text AS username, u.email_verified AS "emailVerified",
  u.phone_number AS "phoneNumber", u.phone_verified AS "phoneVerified", u.banned_at AS "bannedAt",
  u.banned_until AS "bannedUntil", u.ban_reason AS "banReason", u.banned_by AS "bannedBy", u.deleted_at AS "deletedAt",
  u.biography, u.metadata, u.created_at AS "createdAt", u.updated_at AS "updatedAt", u.last_login AS "lastLogin",
  u.preferred_language AS "preferredLanguage", u.avatar_url AS "avatarUrl"`;

/** How the account an identifier names is found, over the alias `u`: the unique indexes' own expressions. */
export const identifiedBy = {
  email: "u.email = $1::text::public.citext",
  phone: "u.phone_number = $1",
  username: "u.username = $1::text::public.citext",
} as const;

const byId = lookup("users.byId", (s) => `SELECT ${userColumns} FROM ${s}.users AS u WHERE u.id = $1`);
const byEmail = lookup(
  "users.byEmail",
  (s) => `SELECT ${userColumns} FROM ${s}.users AS u WHERE ${identifiedBy.email}`,
);
const byUsername = lookup(
  "users.byUsername",
  (s) => `SELECT ${userColumns} FROM ${s}.users AS u WHERE ${identifiedBy.username}`,
);
const byPhone = lookup(
  "users.byPhone",
  (s) => `SELECT ${userColumns} FROM ${s}.users AS u WHERE ${identifiedBy.phone}`,
);
const byIds = sql(
  "users.byIds",
  (s) => `SELECT ${userColumns} FROM ${s}.users AS u WHERE u.id = ANY ($1::uuid[]) ORDER BY u.id`,
);
const lock = sql(
  "users.lock",
  (s) => `SELECT ${userColumns} FROM ${s}.users AS u WHERE u.id = $1 FOR NO KEY UPDATE`,
);

const insert = sql(
  "users.insert",
  (s) => `
  WITH u AS (
    INSERT INTO ${s}.users (id, email, phone_number, username, email_verified, phone_verified, preferred_language,
      created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
    RETURNING *
  ), password AS (
    INSERT INTO ${s}.user_passwords (user_id, password_hash, hash_algo, password_updated_at)
    SELECT u.id, $9::text, 'argon2id', $8 FROM u WHERE $9::text IS NOT NULL
  )
  SELECT ${userColumns} FROM u`,
);

const clearLapsedBans = sql(
  "users.clearLapsedBans",
  (s) => `
  UPDATE ${s}.users
  SET banned_at = NULL, banned_until = NULL, ban_reason = NULL, banned_by = NULL, updated_at = $2
  WHERE id = ANY ($1::uuid[]) AND banned_until <= $2
  RETURNING id`,
);

const touchLogin = sql("users.touchLogin", (s) => `UPDATE ${s}.users SET last_login = $2 WHERE id = $1`);

const setEmailVerified = sql(
  "users.setEmailVerified",
  (s) => `UPDATE ${s}.users SET email_verified = $2, updated_at = $3 WHERE id = $1`,
);

const setPhoneVerified = sql(
  "users.setPhoneVerified",
  (s) => `UPDATE ${s}.users SET phone_verified = true WHERE id = $1 AND phone_number = $2`,
);

const taken = sql(
  "users.taken",
  (s) => `
  SELECT
    EXISTS (SELECT FROM ${s}.users WHERE email = $1::text::public.citext AND id IS DISTINCT FROM $4::uuid) AS email,
    EXISTS (SELECT FROM ${s}.users WHERE phone_number = $2::text AND id IS DISTINCT FROM $4::uuid) AS phone,
    EXISTS (SELECT FROM ${s}.users WHERE username = $3::text::public.citext AND id IS DISTINCT FROM $4::uuid) AS username`,
);

const takenUsernames = sql(
  "users.takenUsernames",
  (s) =>
    `SELECT lower(username::text) AS username FROM ${s}.users WHERE username = ANY ($1::text[]::public.citext[])`,
);

export const userStore = {
  byId: (on: Queryable, id: string) => on.row<UserRow>(byId, [id]),
  byEmail: (on: Queryable, email: string) => on.row<UserRow>(byEmail, [email]),
  byUsername: (on: Queryable, username: string) => on.row<UserRow>(byUsername, [username]),
  byPhone: (on: Queryable, phone: string) => on.row<UserRow>(byPhone, [phone]),
  /** In the order of the ids. */
  byIds: (on: Queryable, ids: readonly string[]) => on.rows<UserRow>(byIds, [ids]),
  /** The row, held until the transaction ends. */
  lock: (on: Queryable, id: string) => on.row<UserRow>(lock, [id]),

  insert(on: Queryable, id: string, user: NewUser, at: Date): Promise<UserRow | undefined> {
    const { email, phoneNumber, username, emailVerified, phoneVerified, preferredLanguage, passwordHash } =
      user;
    const values: SqlValue[] = [id, email, phoneNumber, username, emailVerified, phoneVerified];
    return on.row<UserRow>(insert, [...values, preferredLanguage, at, passwordHash]);
  },

  /** Ids whose ban had ended and is now cleared. */
  async clearLapsedBans(on: Queryable, ids: readonly string[], now: Date): Promise<string[]> {
    return (await on.rows<{ readonly id: string }>(clearLapsedBans, [ids, now])).map((row) => row.id);
  },
  touchLogin: (on: Queryable, id: string, at: Date) => on.run(touchLogin, [id, at]),
  setEmailVerified: (on: Queryable, id: string, verified: boolean, at: Date) =>
    on.run(setEmailVerified, [id, verified, at]),
  setPhoneVerified: (on: Queryable, id: string, phone: string) => on.run(setPhoneVerified, [id, phone]),

  taken(
    on: Queryable,
    email: string | null,
    phone: string | null,
    username: string | null,
    except: string | null,
  ) {
    const values = [email, phone, username, except];
    return on.row<{ readonly email: boolean; readonly phone: boolean; readonly username: boolean }>(
      taken,
      values,
    );
  },
  async takenUsernames(on: Queryable, candidates: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await on.rows<{ readonly username: string }>(takenUsernames, [candidates]);
    return new Set(rows.map((row) => row.username));
  },
};
