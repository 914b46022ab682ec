import { type Queryable, sql } from "../../platform/postgres/port.ts";
import { userColumns } from "./store.ts";
import type { UserRow } from "./types.ts";

type Metadata = Readonly<Record<string, unknown>>;

const metadata = sql("users.metadata", (s) => `SELECT metadata FROM ${s}.users WHERE id = $1`);

// What is too large already may shrink, but not grow.
const patchMetadata = sql(
  "users.patchMetadata",
  (s) => `
  UPDATE ${s}.users AS u
  SET metadata = (u.metadata || $2::text::jsonb) - $3::text[], updated_at = $4
  WHERE u.id = $1
    AND octet_length(((u.metadata || $2::text::jsonb) - $3::text[])::text) <= greatest($5::int, octet_length(u.metadata::text))
  RETURNING u.metadata`,
);

const setBiography = sql(
  "users.setBiography",
  (s) => `UPDATE ${s}.users SET biography = $2, updated_at = $3 WHERE id = $1`,
);

const setAvatarUrl = sql(
  "users.setAvatarUrl",
  (s) => `UPDATE ${s}.users SET avatar_url = $2, updated_at = $3 WHERE id = $1`,
);

const setPreferredLanguage = sql(
  "users.setPreferredLanguage",
  (s) => `UPDATE ${s}.users SET preferred_language = $2, updated_at = $3 WHERE id = $1`,
);

const setEmail = sql(
  "users.setEmail",
  (s) => `
  UPDATE ${s}.users AS u SET email = $2, email_verified = $3, email_proven = false, updated_at = $4 WHERE u.id = $1
  RETURNING ${userColumns}`,
);

const setPhone = sql(
  "users.setPhone",
  (s) => `
  UPDATE ${s}.users AS u SET phone_number = $2, phone_verified = $3, updated_at = $4 WHERE u.id = $1
  RETURNING ${userColumns}`,
);

export const profileStore = {
  async metadata(on: Queryable, userId: string): Promise<Metadata | undefined> {
    return (await on.row<{ readonly metadata: Metadata }>(metadata, [userId]))?.metadata;
  },
  /** The metadata afterwards; undefined when there is no such account or it would exceed `maxBytes`. */
  async patchMetadata(
    on: Queryable,
    userId: string,
    merge: Metadata,
    remove: readonly string[],
    at: Date,
    maxBytes: number,
  ): Promise<Metadata | undefined> {
    const values = [userId, JSON.stringify(merge), remove, at, maxBytes];
    return (await on.row<{ readonly metadata: Metadata }>(patchMetadata, values))?.metadata;
  },
  setBiography: (on: Queryable, userId: string, text: string | null, at: Date) =>
    on.run(setBiography, [userId, text, at]),
  setAvatarUrl: (on: Queryable, userId: string, url: string | null, at: Date) =>
    on.run(setAvatarUrl, [userId, url, at]),
  setPreferredLanguage: (on: Queryable, userId: string, language: string, at: Date) =>
    on.run(setPreferredLanguage, [userId, language, at]),
  setEmail: (on: Queryable, userId: string, email: string | null, verified: boolean, at: Date) =>
    on.row<UserRow>(setEmail, [userId, email, verified, at]),
  setPhone: (on: Queryable, userId: string, phone: string | null, verified: boolean, at: Date) =>
    on.row<UserRow>(setPhone, [userId, phone, verified, at]),
};
