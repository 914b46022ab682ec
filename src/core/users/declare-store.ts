import { type Queryable, sql } from "../../platform/postgres/port.ts";
import { userColumns } from "./store.ts";
import type { UserRow } from "./types.ts";

/** Locked: what is compared is what is written over. The username decides first, then the e-mail address, then the phone number. */
const find = sql(
  "users.findDeclared",
  (s) => `
  SELECT ${userColumns} FROM ${s}.users AS u
  WHERE u.username = $1::text::public.citext OR u.email = $2::text::public.citext OR u.phone_number = $3
  ORDER BY u.username = $1::text::public.citext DESC NULLS LAST, u.email = $2::text::public.citext DESC NULLS LAST
  LIMIT 1
  FOR NO KEY UPDATE`,
);

const update = sql(
  "users.updateDeclared",
  (s) => `
  UPDATE ${s}.users AS u
  SET username = $2::text, email = $3::text, phone_number = $4, email_verified = $5,
    email_proven = u.email_proven AND u.email IS NOT DISTINCT FROM $3::text::public.citext,
    phone_verified = $6, banned_at = $7, banned_until = $8, ban_reason = $9, banned_by = $10, metadata = $11::text::jsonb,
    updated_at = $12
  WHERE u.id = $1
  RETURNING ${userColumns}`,
);

export const declareStore = {
  find: (on: Queryable, username: string, email: string | null, phone: string | null) =>
    on.row<UserRow>(find, [username, email, phone]),
  update: (on: Queryable, user: UserRow, at: Date) =>
    on.row<UserRow>(update, [
      user.id,
      user.username,
      user.email,
      user.phoneNumber,
      user.emailVerified,
      user.phoneVerified,
      user.bannedAt,
      user.bannedUntil,
      user.banReason,
      user.bannedBy,
      JSON.stringify(user.metadata),
      at,
    ]),
};
