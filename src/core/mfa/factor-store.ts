import { type Queryable, sql } from "../../platform/postgres/port.ts";

const lockUser = sql(
  "mfa.lockUser",
  (s) =>
    `SELECT email::text AS email, email_verified AS "emailVerified" FROM ${s}.users WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE`,
);

const clearDefault = sql(
  "mfa.clearDefault",
  (s) => `UPDATE ${s}.mfa_factors SET is_default = false, updated_at = $2 WHERE user_id = $1 AND is_default`,
);

const upsertFactor = sql(
  "mfa.upsertFactor",
  (s) => `
  INSERT INTO ${s}.mfa_factors AS stored (id, user_id, method, phone_number, totp_secret, last_totp_step, is_default, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
  ON CONFLICT (user_id, method) DO UPDATE SET phone_number = excluded.phone_number, totp_secret = excluded.totp_secret,
    last_totp_step = excluded.last_totp_step, is_default = stored.is_default OR excluded.is_default, updated_at = excluded.updated_at`,
);

const enable = sql(
  "mfa.enable",
  (s) => `
  INSERT INTO ${s}.mfa_settings AS m (user_id, enabled, backup_codes, created_at, updated_at)
  VALUES ($1, true, $2, $3, $3)
  ON CONFLICT (user_id) DO UPDATE SET enabled = true, backup_codes = coalesce($2, m.backup_codes), updated_at = $3`,
);

const disable = sql(
  "mfa.disable",
  (s) =>
    `UPDATE ${s}.mfa_settings SET enabled = false, backup_codes = '{}', updated_at = $2 WHERE user_id = $1`,
);

const setDefault = sql(
  "mfa.setDefault",
  (s) => `UPDATE ${s}.mfa_factors SET is_default = true, updated_at = $3 WHERE user_id = $1 AND id = $2`,
);

const remove = sql(
  "mfa.remove",
  (s) =>
    `DELETE FROM ${s}.mfa_factors WHERE user_id = $1 AND ($2::uuid IS NULL OR id = $2) RETURNING id, method`,
);

const replaceBackupCodes = sql(
  "mfa.replaceBackupCodes",
  (s) => `UPDATE ${s}.mfa_settings SET backup_codes = $2, updated_at = $3 WHERE user_id = $1 AND enabled`,
);

const useBackupCode = sql(
  "mfa.useBackupCode",
  (s) => `
  UPDATE ${s}.mfa_settings SET backup_codes = array_remove(backup_codes, $2), updated_at = $3
  WHERE user_id = $1 AND enabled AND $2 = ANY (backup_codes)
  RETURNING cardinality(backup_codes) AS remaining`,
);

const totpSecret = sql(
  "mfa.totpSecret",
  (s) =>
    `SELECT id, totp_secret AS secret FROM ${s}.mfa_factors WHERE user_id = $1 AND method = 'totp' AND ($2::uuid IS NULL OR id = $2)`,
);

const useTotpStep = sql(
  "mfa.useTotpStep",
  (s) => `
  UPDATE ${s}.mfa_factors SET last_totp_step = $3, updated_at = $4
  WHERE id = $1 AND user_id = $2 AND (last_totp_step IS NULL OR last_totp_step < $3)`,
);

const totpSecrets = sql(
  "mfa.totpSecrets",
  (s) => `
  SELECT id, user_id AS "userId", totp_secret AS sealed FROM ${s}.mfa_factors
  WHERE totp_secret IS NOT NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2`,
);

const resealTotp = sql(
  "mfa.resealTotp",
  (s) => `UPDATE ${s}.mfa_factors SET totp_secret = $4 WHERE id = $1 AND user_id = $2 AND totp_secret = $3`,
);

// The groups are locked in one order, as every change of roles locks them, so that the last owner is counted by one at a time.
const lockGroupsOfUser = sql(
  "mfa.lockGroupsOfUser",
  (s) => `
  SELECT g.id FROM ${s}.permission_groups AS g
  WHERE g.id IN (SELECT r.permission_group_id FROM ${s}.group_user_roles AS r WHERE r.user_id = $1 AND r.deleted_at IS NULL)
  ORDER BY g.id FOR NO KEY UPDATE`,
);

const removeDemandingRoles = sql(
  "mfa.removeDemandingRoles",
  (s) => `
  UPDATE ${s}.group_user_roles AS r SET deleted_at = $3, updated_at = $3
  FROM ${s}.permission_groups AS g
  WHERE r.user_id = $1 AND r.deleted_at IS NULL AND g.id = r.permission_group_id AND g.deleted_at IS NULL
    AND (g.persona || ':' || r.role = ANY ($2::text[]) OR EXISTS (
      SELECT FROM ${s}.group_custom_roles AS c
      WHERE c.permission_group_id = g.id AND c.role = r.role AND c.requires_mfa))
  RETURNING g.id AS "groupId", g.persona, g.instance_slug AS "instanceSlug", r.role,
    r.role = 'owner' AND NOT EXISTS (
      SELECT FROM ${s}.group_user_roles AS o JOIN ${s}.users AS u ON u.id = o.user_id
      WHERE o.permission_group_id = g.id AND o.role = 'owner' AND o.deleted_at IS NULL AND o.user_id <> $1
        AND u.deleted_at IS NULL AND (u.banned_at IS NULL OR u.banned_until <= $3)
    ) AND NOT EXISTS (
      SELECT FROM ${s}.group_remote_application_roles AS o JOIN ${s}.remote_applications AS a ON a.id = o.remote_application_id
      WHERE o.permission_group_id = g.id AND o.role = 'owner' AND o.deleted_at IS NULL AND a.enabled AND a.deleted_at IS NULL
    ) AS "lastOwner"`,
);

/** A role that went with the second factor it demands. */
export interface RemovedRole {
  readonly groupId: string;
  readonly persona: string;
  readonly instanceSlug: string | null;
  readonly role: string;
  readonly lastOwner: boolean;
}

export interface NewFactor {
  readonly method: "email" | "sms" | "totp";
  readonly phoneNumber: string | null;
  readonly totpSecret: Buffer | null;
  readonly totpStep: number | null;
}

/** A factor by its id, and whose it has to be. */
export interface FactorRef {
  readonly id: string;
  readonly userId: string;
}

export const factorStore = {
  lockUser: (on: Queryable, userId: string) =>
    on.row<{ readonly email: string | null; readonly emailVerified: boolean }>(lockUser, [userId]),
  clearDefault: (on: Queryable, userId: string, at: Date) => on.run(clearDefault, [userId, at]),
  upsert: (on: Queryable, id: string, userId: string, factor: NewFactor, isDefault: boolean, at: Date) =>
    on.run(upsertFactor, [
      id,
      userId,
      factor.method,
      factor.phoneNumber,
      factor.totpSecret,
      factor.totpStep,
      isDefault,
      at,
    ]),
  /** Null keeps the codes there are. */
  enable: (on: Queryable, userId: string, backupCodes: readonly string[] | null, at: Date) =>
    on.run(enable, [userId, backupCodes, at]),
  disable: (on: Queryable, userId: string, at: Date) => on.run(disable, [userId, at]),
  async setDefault(on: Queryable, userId: string, factorId: string, at: Date): Promise<boolean> {
    return (await on.run(setDefault, [userId, factorId, at])) === 1;
  },
  /** Null removes all. */
  remove: (on: Queryable, userId: string, factorId: string | null) =>
    on.rows<{ readonly id: string; readonly method: string }>(remove, [userId, factorId]),
  async replaceBackupCodes(on: Queryable, userId: string, hashes: readonly string[], at: Date) {
    return (await on.run(replaceBackupCodes, [userId, hashes, at])) === 1;
  },
  /** How many are left; undefined when the code is none of the account's. */
  async useBackupCode(on: Queryable, userId: string, hash: string, at: Date): Promise<number | undefined> {
    return (await on.row<{ remaining: number }>(useBackupCode, [userId, hash, at]))?.remaining;
  },
  totpSecret: (on: Queryable, userId: string, factorId: string | null) =>
    on.row<{ readonly id: string; readonly secret: Buffer }>(totpSecret, [userId, factorId]),
  /** True for exactly one caller a step, and for no earlier step afterwards. */
  async useTotpStep(on: Queryable, factor: FactorRef, step: number, at: Date): Promise<boolean> {
    return (await on.run(useTotpStep, [factor.id, factor.userId, step, at])) === 1;
  },
  /** Sealed secrets of all accounts by factor id, those after the given one. */
  totpSecrets: (on: Queryable, after: string | null, limit: number) =>
    on.rows<{ readonly id: string; readonly userId: string; readonly sealed: Buffer }>(totpSecrets, [
      after,
      limit,
    ]),
  /** Puts another sealing in place of the one that was read, unless somebody else has replaced it. */
  resealTotp: (on: Queryable, factor: FactorRef, from: Buffer, to: Buffer) =>
    on.run(resealTotp, [factor.id, factor.userId, from, to]),
  lockGroupsOfUser: (on: Queryable, userId: string) => on.rows(lockGroupsOfUser, [userId]),
  removeDemandingRoles: (on: Queryable, userId: string, roles: readonly string[], at: Date) =>
    on.rows<RemovedRole>(removeDemandingRoles, [userId, roles, at]),
};
