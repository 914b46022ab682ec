import { type Queryable, sql } from "../../platform/postgres/port.ts";
import { userColumns } from "./store.ts";
import type { UserRow } from "./types.ts";

const strip = sql(
  "users.stripCredentials",
  (s) => `
  WITH passwords AS (DELETE FROM ${s}.user_passwords WHERE user_id = $1),
  providers AS (DELETE FROM ${s}.user_providers WHERE user_id = $1),
  passkeys AS (DELETE FROM ${s}.user_passkeys WHERE user_id = $1),
  handles AS (DELETE FROM ${s}.user_passkey_handles WHERE user_id = $1),
  factors AS (DELETE FROM ${s}.mfa_factors WHERE user_id = $1),
  settings AS (DELETE FROM ${s}.mfa_settings WHERE user_id = $1)
  SELECT ARRAY(
    SELECT key_id FROM ${s}.api_keys
    WHERE created_by = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
    ORDER BY key_id
  ) AS "keyIds"`,
);

const rebind = sql(
  "users.rebind",
  (s) => `
  UPDATE ${s}.users AS u
  SET email = $2::text, email_verified = $2::text IS NOT NULL, email_proven = false, phone_number = $3::text,
    phone_verified = $3::text IS NOT NULL, updated_at = $4
  WHERE u.id = $1
  RETURNING ${userColumns}`,
);

export const recoveryStore = {
  /** Removes everything one can sign in with; ids of live API keys the account once made, which stay. */
  async strip(on: Queryable, userId: string, now: Date): Promise<readonly string[]> {
    return (await on.row<{ readonly keyIds: readonly string[] }>(strip, [userId, now]))?.keyIds ?? [];
  },
  /** The given contact, verified; the other one is cleared. */
  rebind: (on: Queryable, userId: string, email: string | null, phone: string | null, at: Date) =>
    on.row<UserRow>(rebind, [userId, email, phone, at]),
};
