import { type Queryable, sql } from "../../platform/postgres/port.ts";
import type { ApplicationKey, RemoteApplication } from "./types.ts";

const columns = `
  a.id, a.slug, a.permission_group_id AS "permissionGroupId", a.issuer, a.jwks_uri AS "jwksUri", a.mode,
  a.public_keys AS "storedKeys", a.enabled, a.display_name AS "displayName", a.tier, a.trust_root AS "trustRoot", a.domain,
  a.document_endpoint AS "documentEndpoint", a.root_verified_at AS "rootVerifiedAt", a.created_at AS "createdAt",
  a.updated_at AS "updatedAt"`;

const byIssuer = sql(
  "applications.byIssuer",
  (s) => `SELECT ${columns} FROM ${s}.remote_applications AS a WHERE a.issuer = $1 AND a.deleted_at IS NULL`,
);
const bySlug = sql(
  "applications.bySlug",
  (s) => `SELECT ${columns} FROM ${s}.remote_applications AS a WHERE a.slug = $1 AND a.deleted_at IS NULL`,
);
const list = sql(
  "applications.list",
  (s) => `
  SELECT ${columns} FROM ${s}.remote_applications AS a
  WHERE a.deleted_at IS NULL AND (a.enabled OR NOT $1::boolean) ORDER BY a.slug`,
);
const ofGroup = sql(
  "applications.ofGroup",
  (s) => `
  SELECT ${columns} FROM ${s}.remote_applications AS a
  WHERE a.permission_group_id = $1 AND a.deleted_at IS NULL ORDER BY a.created_at DESC, a.id DESC`,
);

const lockIssuer = sql(
  "applications.lockIssuer",
  (s) => `
  SELECT a.id, a.permission_group_id AS "permissionGroupId" FROM ${s}.remote_applications AS a
  WHERE a.issuer = $1 FOR UPDATE`,
);

// A row that was marked as deleted comes back to life: its issuer is in use again.
const upsert = sql(
  "applications.upsert",
  (s) => `
  WITH a AS (
    INSERT INTO ${s}.remote_applications (id, slug, permission_group_id, issuer, jwks_uri, mode, public_keys, enabled, created_at,
      updated_at, tier)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $9, $10)
    ON CONFLICT (issuer) DO UPDATE SET slug = excluded.slug, permission_group_id = excluded.permission_group_id,
      jwks_uri = excluded.jwks_uri, mode = excluded.mode, public_keys = excluded.public_keys, enabled = excluded.enabled,
      updated_at = excluded.updated_at, deleted_at = NULL
    RETURNING *
  )
  SELECT ${columns} FROM a`,
);

const dropRoles = sql(
  "applications.dropRoles",
  (s) => `
  UPDATE ${s}.group_remote_application_roles SET deleted_at = $3, updated_at = $3
  WHERE remote_application_id = $1 AND permission_group_id = $2 AND deleted_at IS NULL`,
);

const remove = sql(
  "applications.remove",
  (s) => `DELETE FROM ${s}.remote_applications WHERE issuer = $1 RETURNING id, slug`,
);

const owner = sql(
  "applications.owner",
  (s) => `
  SELECT a.permission_group_id AS "groupId", g.persona, coalesce(g.instance_slug, '') AS "instanceSlug"
  FROM ${s}.remote_applications AS a JOIN ${s}.permission_groups AS g ON g.id = a.permission_group_id
  WHERE a.id = $1`,
);

type Row = Omit<RemoteApplication, "publicKeys"> & { readonly storedKeys: unknown };

/** Keys as stored; anything else there is damage that must not pass for "no keys". */
function decodeKeys(stored: unknown): ApplicationKey[] | null {
  if (stored === null) return null;
  if (!Array.isArray(stored)) throw new Error("the stored keys of a remote application are damaged");
  return stored.map((entry: unknown) => {
    const pem =
      typeof entry === "object" && entry !== null ? Reflect.get(entry, "public_key_pem") : undefined;
    if (typeof entry !== "object" || entry === null || typeof pem !== "string")
      throw new Error("a stored key of a remote application is damaged");
    const kid: unknown = Reflect.get(entry, "kid");
    return { kid: typeof kid === "string" ? kid : "", publicKeyPem: pem };
  });
}

/** Keys as they are stored: JSON text, or null. */
export function encodeKeys(keys: readonly ApplicationKey[] | null): string | null {
  if (keys === null) return null;
  return JSON.stringify(
    keys.map(({ kid, publicKeyPem }) => ({ ...(kid === "" ? {} : { kid }), public_key_pem: publicKeyPem })),
  );
}

function application({ storedKeys, ...row }: Row): RemoteApplication {
  return { ...row, publicKeys: decodeKeys(storedKeys) };
}

async function one(row: Promise<Row | undefined>): Promise<RemoteApplication | undefined> {
  const found = await row;
  return found === undefined ? undefined : application(found);
}

export const applicationStore = {
  byIssuer: (on: Queryable, issuer: string) => one(on.row<Row>(byIssuer, [issuer])),
  bySlug: (on: Queryable, slug: string) => one(on.row<Row>(bySlug, [slug])),
  async list(on: Queryable, activeOnly: boolean): Promise<RemoteApplication[]> {
    return (await on.rows<Row>(list, [activeOnly])).map(application);
  },
  async ofGroup(on: Queryable, groupId: string): Promise<RemoteApplication[]> {
    return (await on.rows<Row>(ofGroup, [groupId])).map(application);
  },
  lockIssuer: (on: Queryable, issuer: string) =>
    on.row<{ readonly id: string; readonly permissionGroupId: string }>(lockIssuer, [issuer]),
  upsert: (
    on: Queryable,
    id: string,
    stored: Pick<
      RemoteApplication,
      "slug" | "permissionGroupId" | "issuer" | "jwksUri" | "mode" | "publicKeys" | "enabled"
    >,
    at: Date,
    tier: string,
  ) =>
    one(
      on.row<Row>(upsert, [
        id,
        stored.slug,
        stored.permissionGroupId,
        stored.issuer,
        stored.jwksUri,
        stored.mode,
        encodeKeys(stored.publicKeys),
        stored.enabled,
        at,
        tier,
      ]),
    ),
  dropRoles: (on: Queryable, id: string, groupId: string, at: Date) => on.run(dropRoles, [id, groupId, at]),
  remove: (on: Queryable, issuer: string) =>
    on.row<{ readonly id: string; readonly slug: string }>(remove, [issuer]),
  owner: (on: Queryable, id: string) =>
    on.row<{ readonly groupId: string; readonly persona: string; readonly instanceSlug: string }>(owner, [
      id,
    ]),
};
