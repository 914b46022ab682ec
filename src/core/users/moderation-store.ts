import { type Queryable, sql } from "../../platform/postgres/port.ts";

const ban = sql(
  "users.ban",
  (s) => `
  UPDATE ${s}.users
  SET banned_at = $2, banned_until = $3, ban_reason = $4, banned_by = $5, updated_at = $2
  WHERE id = $1`,
);

const unban = sql(
  "users.unban",
  (s) => `
  UPDATE ${s}.users
  SET banned_at = NULL, banned_until = NULL, ban_reason = NULL, banned_by = NULL, updated_at = $2
  WHERE id = $1 AND num_nonnulls(banned_at, banned_until, ban_reason, banned_by) > 0`,
);

const softDelete = sql(
  "users.softDelete",
  (s) => `UPDATE ${s}.users SET deleted_at = $2, updated_at = $2 WHERE id = $1`,
);

const restore = sql(
  "users.restore",
  (s) => `UPDATE ${s}.users SET deleted_at = NULL, updated_at = $2 WHERE id = $1 AND deleted_at IS NOT NULL`,
);

const lockForDeletion = sql(
  "users.lockForDeletion",
  (s) => `SELECT deleted_at IS NOT NULL AS "softDeleted" FROM ${s}.users WHERE id = $1 FOR UPDATE`,
);

const removeRoles = sql("users.removeRoles", (s) => `DELETE FROM ${s}.group_user_roles WHERE user_id = $1`);

const liveKeys = sql(
  "users.liveApiKeys",
  (s) => `
  SELECT id, key_id AS "keyId" FROM ${s}.api_keys
  WHERE created_by = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) ORDER BY key_id`,
);

const revokeKeys = sql(
  "users.revokeApiKeys",
  (s) => `UPDATE ${s}.api_keys SET revoked_at = $2 WHERE id = ANY ($1::uuid[]) AND revoked_at IS NULL`,
);

const hardDelete = sql("users.hardDelete", (s) => `DELETE FROM ${s}.users WHERE id = $1`);

const deletedBefore = sql(
  "users.deletedBefore",
  (s) => `SELECT id FROM ${s}.users WHERE deleted_at < $1 ORDER BY deleted_at, id LIMIT $2`,
);

const ownedGroups = sql(
  "users.lockOwnedGroups",
  (s) => `
  SELECT g.id FROM ${s}.permission_groups AS g
  WHERE g.deleted_at IS NULL AND g.id IN (
    SELECT permission_group_id FROM ${s}.group_user_roles WHERE user_id = $1 AND role = 'owner' AND deleted_at IS NULL
  )
  ORDER BY g.id
  FOR NO KEY UPDATE OF g`,
);

const groupsOnlyOwnedBy = sql(
  "users.groupsOnlyOwnedBy",
  (s) => `
  SELECT g.id, g.persona FROM ${s}.permission_groups AS g
  WHERE g.deleted_at IS NULL AND g.id = ANY ($2::uuid[])
    AND EXISTS (
      SELECT FROM ${s}.group_user_roles AS mine
      WHERE mine.permission_group_id = g.id AND mine.user_id = $1 AND mine.role = 'owner' AND mine.deleted_at IS NULL)
    AND NOT EXISTS (
      SELECT FROM ${s}.group_user_roles AS r JOIN ${s}.users AS u ON u.id = r.user_id
      WHERE r.permission_group_id = g.id AND r.user_id <> $1 AND r.role = 'owner' AND r.deleted_at IS NULL
        AND u.deleted_at IS NULL AND (u.banned_at IS NULL OR u.banned_until <= $3))
    AND NOT EXISTS (
      SELECT FROM ${s}.group_remote_application_roles AS r JOIN ${s}.remote_applications AS a ON a.id = r.remote_application_id
      WHERE r.permission_group_id = g.id AND r.role = 'owner' AND r.deleted_at IS NULL AND a.enabled AND a.deleted_at IS NULL)
  ORDER BY g.id`,
);

export interface OwnedGroup {
  readonly id: string;
  readonly persona: string;
}

type Id = { readonly id: string };

/** Writes answer whether anything changed. */
export const moderationStore = {
  async ban(
    on: Queryable,
    userId: string,
    at: Date,
    given: { readonly until: Date | null; readonly reason: string | null; readonly bannedBy: string | null },
  ): Promise<boolean> {
    return (await on.run(ban, [userId, at, given.until, given.reason, given.bannedBy])) > 0;
  },
  unban: async (on: Queryable, userId: string, at: Date) => (await on.run(unban, [userId, at])) > 0,
  softDelete: async (on: Queryable, userId: string, at: Date) => (await on.run(softDelete, [userId, at])) > 0,
  restore: async (on: Queryable, userId: string, at: Date) => (await on.run(restore, [userId, at])) > 0,
  lockForDeletion: (on: Queryable, userId: string) =>
    on.row<{ readonly softDeleted: boolean }>(lockForDeletion, [userId]),
  removeRoles: (on: Queryable, userId: string) => on.run(removeRoles, [userId]),
  /** API keys the account has made that still work. */
  liveKeys: (on: Queryable, userId: string, now: Date) =>
    on.rows<{ readonly id: string; readonly keyId: string }>(liveKeys, [userId, now]),
  revokeKeys: (on: Queryable, ids: readonly string[], at: Date) => on.run(revokeKeys, [ids, at]),
  hardDelete: async (on: Queryable, userId: string) => (await on.run(hardDelete, [userId])) > 0,
  async deletedBefore(on: Queryable, cutoff: Date, limit: number): Promise<string[]> {
    return (await on.rows<Id>(deletedBefore, [cutoff, limit])).map((row) => row.id);
  },
  /** Locks the groups the user owns, so that owners leave them one at a time; ascending ids keep it free of deadlocks. */
  async lockOwnedGroups(on: Queryable, userId: string): Promise<string[]> {
    return (await on.rows<Id>(ownedGroups, [userId])).map((row) => row.id);
  },
  /** Of those groups, the ones without another owner who can act. */
  groupsOnlyOwnedBy(
    on: Queryable,
    userId: string,
    groupIds: readonly string[],
    now: Date,
  ): Promise<OwnedGroup[]> {
    return on.rows<OwnedGroup>(groupsOnlyOwnedBy, [userId, groupIds, now]);
  },
};
