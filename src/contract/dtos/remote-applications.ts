import {
  bool,
  dto,
  everyGeneration,
  field,
  type Infer,
  type InferArgs,
  int32,
  json,
  list,
  nullable,
  omitEmpty,
  only,
  string,
  time,
} from "../types.ts";

/** A static public key of a trusted issuer. */
export const RemoteAppKey = dto("RemoteAppKey", everyGeneration, {
  kid: omitEmpty(field("kid", string)),
  publicKeyPem: field("public_key_pem", string),
});
export type RemoteAppKey = Infer<typeof RemoteAppKey>;
export type RemoteAppKeyInput = InferArgs<typeof RemoteAppKey>;

/** A trusted issuer. */
export const RemoteApplication = dto("RemoteApplication", everyGeneration, {
  id: field("ID", string),
  slug: field("Slug", string),
  permissionGroupId: field("PermissionGroupID", string),
  issuer: field("Issuer", string),
  jwksUri: field("JWKSURI", string),
  /** One of `jwks`, `static`. */
  mode: field("Mode", string),
  publicKeys: field("PublicKeys", nullable(list(RemoteAppKey))),
  enabled: field("Enabled", bool),
  displayName: only("0.97", field("DisplayName", string)),
  tier: only("0.97", field("Tier", string)),
  trustRoot: only("0.97", field("TrustRoot", string)),
  domain: only("0.97", field("Domain", string)),
  documentEndpoint: only("0.97", field("DocumentEndpoint", string)),
  rootVerifiedAt: only("0.97", field("RootVerifiedAt", time)),
  createdAt: field("CreatedAt", time),
  updatedAt: field("UpdatedAt", time),
});
export type RemoteApplication = Infer<typeof RemoteApplication>;
export type RemoteApplicationInput = InferArgs<typeof RemoteApplication>;

/** The definition of an attribute a remote application may refer to. */
export const RemoteAppAttributeDef = dto("RemoteAppAttributeDef", everyGeneration, {
  remoteApplicationId: field("RemoteApplicationID", string),
  key: field("Key", string),
  version: field("Version", int32),
  definition: field("Definition", json),
});
export type RemoteAppAttributeDef = Infer<typeof RemoteAppAttributeDef>;

/** What a remote application may do, and where. */
export const RemoteApplicationAuthority = dto("RemoteApplicationAuthority", ["0.97"], {
  permissions: field("Permissions", list(string)),
  persona: field("Persona", string),
  instanceSlug: field("InstanceSlug", string),
});
export type RemoteApplicationAuthority = Infer<typeof RemoteApplicationAuthority>;
