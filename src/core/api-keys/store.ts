import { lookup, type Queryable, sql } from "../../platform/postgres/port.ts";

const columns = `
  k.id, k.key_id AS "keyId", k.name, k.role, k.created_by AS "createdBy", k.created_at AS "createdAt",
  k.last_used_at AS "lastUsedAt", k.expires_at AS "expiresAt", k.revoked_at AS "revokedAt"`;

const insert = sql(
  "apiKeys.insert",
  (s) => `
  INSERT INTO ${s}.api_keys AS k (id, permission_group_id, key_id, secret_hash, name, role, created_by, created_at, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (key_id) DO NOTHING RETURNING ${columns}`,
);

const list = sql(
  "apiKeys.list",
  (s) => `
  SELECT ${columns} FROM ${s}.api_keys AS k WHERE k.permission_group_id = $1 ORDER BY k.created_at DESC, k.id DESC`,
);

const madeBy = sql(
  "apiKeys.madeBy",
  (s) => `
  SELECT k.id, k.key_id AS "keyId", k.name, g.persona, coalesce(g.instance_slug, '') AS "instanceSlug"
  FROM ${s}.api_keys AS k JOIN ${s}.permission_groups AS g ON g.id = k.permission_group_id AND g.deleted_at IS NULL
  WHERE k.created_by = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)
  ORDER BY k.created_at DESC, k.id DESC`,
);

const revoke = sql(
  "apiKeys.revoke",
  (s) =>
    `UPDATE ${s}.api_keys SET revoked_at = $3 WHERE id = $1 AND permission_group_id = $2 AND revoked_at IS NULL RETURNING key_id AS "keyId"`,
);

const byKeyId = lookup(
  "apiKeys.byKeyId",
  (s) => `
  SELECT ${columns}, k.secret_hash AS "secretHash", g.id AS "groupId", g.persona, g.instance_slug AS "instanceSlug",
    g.display_name AS "displayName"
  FROM ${s}.api_keys AS k JOIN ${s}.permission_groups AS g ON g.id = k.permission_group_id AND g.deleted_at IS NULL
  WHERE k.key_id = $1`,
);

// At most one write a key in five minutes, whoever else writes: the condition looks at the row itself.
const touch = sql(
  "apiKeys.touch",
  (s) => `
  UPDATE ${s}.api_keys SET last_used_at = $2
  WHERE id = ANY ($1::uuid[]) AND (last_used_at IS NULL OR last_used_at < $2 - interval '5 minutes')`,
);

import type { MadeKey } from "./types.ts";

export interface ApiKeyRow {
  readonly id: string;
  readonly keyId: string;
  readonly name: string;
  readonly role: string;
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface PresentedKeyRow extends ApiKeyRow {
  readonly secretHash: Buffer;
  readonly groupId: string;
  readonly persona: string;
  readonly instanceSlug: string | null;
  readonly displayName: string;
}

export interface NewApiKey {
  readonly id: string;
  readonly groupId: string;
  readonly keyId: string;
  readonly secretHash: Buffer;
  readonly name: string;
  readonly role: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

export const apiKeyStore = {
  /** Undefined when the key id is taken. */
  insert: (on: Queryable, key: NewApiKey) =>
    on.row<ApiKeyRow>(insert, [
      ...[key.id, key.groupId, key.keyId, key.secretHash, key.name, key.role, key.createdBy],
      ...[key.createdAt, key.expiresAt],
    ]),
  list: (on: Queryable, groupId: string) => on.rows<ApiKeyRow>(list, [groupId]),
  madeBy: (on: Queryable, userId: string, now: Date) => on.rows<MadeKey>(madeBy, [userId, now]),
  async revoke(on: Queryable, id: string, groupId: string, at: Date): Promise<string | undefined> {
    return (await on.row<{ keyId: string }>(revoke, [id, groupId, at]))?.keyId;
  },
  byKeyId: (on: Queryable, keyId: string) => on.row<PresentedKeyRow>(byKeyId, [keyId]),
  touch: (on: Queryable, ids: readonly string[], at: Date) => on.run(touch, [ids, at]),
};
