import {
  dto,
  everyGeneration,
  field,
  type Infer,
  type InferArgs,
  list,
  nullable,
  only,
  string,
  time,
} from "../types.ts";

/** Metadata of an API key; never the secret. */
export const ApiKey = dto("APIKey", everyGeneration, {
  id: field("ID", string),
  keyId: field("KeyID", string),
  name: field("Name", string),
  role: field("Role", string),
  permissions: field("Permissions", list(string)),
  createdBy: field("CreatedBy", string),
  createdAt: field("CreatedAt", time),
  lastUsedAt: field("LastUsedAt", nullable(time)),
  expiresAt: field("ExpiresAt", nullable(time)),
  revokedAt: field("RevokedAt", nullable(time)),
});
export type ApiKey = Infer<typeof ApiKey>;

/** An API key to mint. */
export const ApiKeyMintOptions = dto("APIKeyMintOptions", everyGeneration, {
  name: field("Name", string),
  role: field("Role", string),
  createdBy: field("CreatedBy", string),
  expiresAt: field("ExpiresAt", nullable(time)),
});
export type ApiKeyMintOptions = Infer<typeof ApiKeyMintOptions>;
export type ApiKeyMintOptionsInput = InferArgs<typeof ApiKeyMintOptions>;

/** Whom an API key speaks for. */
export const ResolvedApiKey = dto("ResolvedAPIKey", everyGeneration, {
  apiKeyId: field("APIKeyID", string),
  keyId: field("KeyID", string),
  permissionGroupId: field("PermissionGroupID", string),
  persona: only("0.97", field("Persona", string)),
  instanceSlug: only("0.97", field("InstanceSlug", string)),
  role: field("Role", string),
  permissions: field("Permissions", list(string)),
});
export type ResolvedApiKey = Infer<typeof ResolvedApiKey>;
