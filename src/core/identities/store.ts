import { lookup, type Queryable, sql } from "../../platform/postgres/port.ts";
import type { Identity, IdentityRef, NewIdentity } from "./types.ts";

const columns = `
  l.id, l.user_id AS "userId", l.issuer, l.provider_slug AS provider, l.subject, l.email_at_provider AS email, l.profile,
  l.created_at AS "createdAt"`;

const find = lookup(
  "identities.find",
  (s) => `SELECT ${columns} FROM ${s}.user_providers AS l WHERE l.issuer = $1 AND l.subject = $2`,
);

const list = sql(
  "identities.list",
  (s) =>
    `SELECT ${columns} FROM ${s}.user_providers AS l WHERE l.user_id = $1 ORDER BY l.created_at DESC, l.id DESC`,
);

/** Serializes changes of one account's links, and tells whether there is such an account. */
const lockUser = sql(
  "identities.lockUser",
  (s) => `SELECT id FROM ${s}.users WHERE id = $1 FOR NO KEY UPDATE`,
);

const removeOtherSubjects = sql(
  "identities.removeOtherSubjects",
  (s) =>
    `DELETE FROM ${s}.user_providers WHERE user_id = $1 AND issuer = $2 AND subject <> $3 RETURNING subject`,
);

const upsert = sql(
  "identities.upsert",
  (s) => `
  WITH l AS (
    INSERT INTO ${s}.user_providers AS stored (id, user_id, issuer, provider_slug, subject, email_at_provider, profile, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)
    ON CONFLICT (issuer, subject) DO UPDATE SET
      email_at_provider = excluded.email_at_provider,
      provider_slug = coalesce(excluded.provider_slug, stored.provider_slug),
      profile = coalesce(excluded.profile, stored.profile)
    WHERE stored.user_id = excluded.user_id
    RETURNING *
  )
  SELECT ${columns}, l.id = $1 AS created FROM l`,
);

const remove = sql(
  "identities.remove",
  (s) => `
  WITH l AS (DELETE FROM ${s}.user_providers WHERE user_id = $1 AND provider_slug = $2 RETURNING *)
  SELECT ${columns} FROM l`,
);

const otherLoginMethods = sql(
  "identities.otherLoginMethods",
  (s) => `
  SELECT EXISTS (SELECT 1 FROM ${s}.user_passwords WHERE user_id = $1 AND hash_algo <> 'legacy-reset-required')
    OR EXISTS (SELECT 1 FROM ${s}.user_providers WHERE user_id = $1 AND provider_slug IS DISTINCT FROM $2)
    OR EXISTS (SELECT 1 FROM ${s}.user_passkeys WHERE user_id = $1 AND deleted_at IS NULL)
    OR EXISTS (
      SELECT 1 FROM ${s}.users
      WHERE id = $1 AND (($3 AND email IS NOT NULL AND email_verified) OR ($4 AND phone_number IS NOT NULL AND phone_verified))
    ) AS "others"`,
);

const setProfile = sql(
  "identities.setProfile",
  (s) => `UPDATE ${s}.user_providers SET profile = $3::jsonb WHERE id = $1 AND user_id = $2`,
);

const setSubject = sql(
  "identities.setSubject",
  (s) => `
  UPDATE ${s}.user_providers AS l SET subject = $3
  WHERE l.id = $1 AND l.user_id = $2
    AND NOT EXISTS (SELECT FROM ${s}.user_providers AS o WHERE o.issuer = l.issuer AND o.subject = $3)`,
);

const usernames = sql(
  "identities.usernames",
  (s) => `
  SELECT DISTINCT ON (l.user_id) l.user_id AS "userId", l.profile ->> 'username' AS username
  FROM ${s}.user_providers AS l
  WHERE l.user_id = ANY ($1::uuid[]) AND l.provider_slug = $2
  ORDER BY l.user_id, l.created_at DESC, l.id DESC`,
);

const json = (profile: Readonly<Record<string, unknown>> | undefined): string | null =>
  profile === undefined ? null : JSON.stringify(profile);

export const identityStore = {
  find: (on: Queryable, issuer: string, subject: string) => on.row<Identity>(find, [issuer, subject]),
  list: (on: Queryable, userId: string) => on.rows<Identity>(list, [userId]),
  async lockUser(on: Queryable, userId: string): Promise<boolean> {
    return (await on.row(lockUser, [userId])) !== undefined;
  },
  async removeOtherSubjects(
    on: Queryable,
    userId: string,
    issuer: string,
    subject: string,
  ): Promise<string[]> {
    const rows = await on.rows<{ subject: string }>(removeOtherSubjects, [userId, issuer, subject]);
    return rows.map((row) => row.subject);
  },
  /** Undefined when somebody else has the subject. */
  upsert: (on: Queryable, id: string, link: NewIdentity, at: Date) =>
    on.row<Identity & { readonly created: boolean }>(upsert, [
      id,
      link.userId,
      link.issuer,
      link.provider,
      link.subject,
      link.email,
      json(link.profile),
      at,
    ]),
  remove: (on: Queryable, userId: string, provider: string) => on.rows<Identity>(remove, [userId, provider]),
  /** Whether the account can be entered without its links under that provider's name; `codes` says where sign-in codes can be sent. */
  async hasOtherLoginMethods(
    on: Queryable,
    userId: string,
    provider: string,
    codes: { readonly email: boolean; readonly phone: boolean },
  ): Promise<boolean> {
    const values = [userId, provider, codes.email, codes.phone];
    return (await on.row<{ others: boolean }>(otherLoginMethods, values))?.others === true;
  },
  setProfile: (on: Queryable, { id, userId }: IdentityRef, profile: Readonly<Record<string, unknown>>) =>
    on.run(setProfile, [id, userId, json(profile) ?? "{}"]),
  setSubject: (on: Queryable, { id, userId }: IdentityRef, subject: string) =>
    on.run(setSubject, [id, userId, subject]),
  usernames: (on: Queryable, userIds: readonly string[], provider: string) =>
    on.rows<{ readonly userId: string; readonly username: string | null }>(usernames, [
      [...userIds],
      provider,
    ]),
};
