import { type Queryable, sql } from "../../platform/postgres/port.ts";
import type { ApplicationDocument } from "./application-document.ts";
import type { TrustSource } from "./statement.ts";
import { encodeKeys } from "./store.ts";

const lockDomain = sql(
  "applications.lockDomain",
  (s) => `
  SELECT id, slug, enabled, permission_group_id AS "permissionGroupId" FROM ${s}.remote_applications
  WHERE domain = $1 AND deleted_at IS NULL FOR UPDATE`,
);
const lockSlug = sql(
  "applications.lockSlug",
  (s) =>
    `SELECT id, domain, enabled FROM ${s}.remote_applications WHERE slug = $1 AND deleted_at IS NULL FOR UPDATE`,
);
const insertRooted = sql(
  "applications.insertRooted",
  (s) => `
  INSERT INTO ${s}.remote_applications (id, slug, permission_group_id, domain, issuer, mode, jwks_uri, public_keys, display_name,
    document_endpoint, tier, trust_root, enabled, root_verified_at, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, 'registered', 'domain', true, $11, $11, $11)`,
);
const refreshRooted = sql(
  "applications.refreshRooted",
  (s) => `
  UPDATE ${s}.remote_applications SET domain = $2, issuer = $3, mode = $4, jwks_uri = $5, public_keys = $6::jsonb, display_name = $7,
    document_endpoint = $8, trust_root = 'domain', root_verified_at = $9, updated_at = $9
  WHERE id = $1`,
);
const setTrust = sql(
  "applications.setTrust",
  (s) => `
  UPDATE ${s}.remote_applications SET mode = $2, jwks_uri = $3, public_keys = $4::jsonb, updated_at = $5 WHERE id = $1`,
);
const setTier = sql(
  "applications.setTier",
  (s) =>
    `UPDATE ${s}.remote_applications SET tier = $2, updated_at = $3 WHERE slug = $1 AND deleted_at IS NULL RETURNING id`,
);

interface Rooted {
  readonly id: string;
  readonly slug: string;
  readonly enabled: boolean;
  readonly permissionGroupId: string;
}

/** Writes of applications that registered themselves. */
export const registrationStore = {
  lockDomain: (on: Queryable, domain: string) => on.row<Rooted>(lockDomain, [domain]),
  lockSlug: (on: Queryable, slug: string) =>
    on.row<{ readonly id: string; readonly domain: string; readonly enabled: boolean }>(lockSlug, [slug]),
  insert: (
    on: Queryable,
    made: { readonly id: string; readonly groupId: string; readonly domain: string },
    { slug, issuer, mode, jwksUri, publicKeys, displayName, documentEndpoint }: ApplicationDocument,
    at: Date,
  ) =>
    on.run(insertRooted, [
      ...[made.id, slug, made.groupId, made.domain, issuer, mode, jwksUri],
      ...[encodeKeys(publicKeys), displayName, documentEndpoint, at],
    ]),
  refresh: (
    on: Queryable,
    id: string,
    domain: string,
    { issuer, mode, jwksUri, publicKeys, displayName, documentEndpoint }: ApplicationDocument,
    at: Date,
  ) =>
    on.run(refreshRooted, [
      ...[id, domain, issuer, mode, jwksUri],
      ...[encodeKeys(publicKeys), displayName, documentEndpoint, at],
    ]),
  setTrust: (on: Queryable, id: string, { mode, jwksUri, publicKeys }: TrustSource, at: Date) =>
    on.run(setTrust, [id, mode, jwksUri, encodeKeys(publicKeys), at]),
  setTier: (on: Queryable, slug: string, tier: string, at: Date) =>
    on.row<{ readonly id: string }>(setTier, [slug, tier, at]),
};
