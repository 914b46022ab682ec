import { ApiKey, ApiKeyMintOptions, ResolvedApiKey } from "../dtos/api-keys.ts";
import { bool, everyGeneration, field, list, nullable, several, string, time } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic APIKeys. */
export const apiKeysMethods = {
  listApiKeys: method({
    name: "ListAPIKeys",
    topic: "APIKeys",
    generations: everyGeneration,
    args: { persona: field("persona", string), instanceSlug: field("instanceSlug", string) },
    result: nullable(list(ApiKey)),
    errors: ["permission_group_not_found"],
  }),
  mintApiKey: method({
    name: "MintAPIKey",
    topic: "APIKeys",
    generations: everyGeneration,
    args: {
      persona: field("persona", string),
      instanceSlug: field("instanceSlug", string),
      name: field("name", string),
      role: field("role", string),
      createdBy: field("createdBy", string),
      expiresAt: field("expiresAt", nullable(time)),
    },
    result: several({ apiKey: ApiKey, key: string }),
    errors: [
      "insufficient_role_authority",
      "invalid_expiry",
      "invalid_role",
      "missing_name",
      "permission_group_not_found",
      "role_assignment_escalation",
      "unknown_role",
    ],
    mutates: { kind: "api_key", result: "apiKey.id" },
    note: "r0 metadata, r1 full plaintext key (only time it is returned).",
  }),
  mintApiKeyWithOptions: method({
    name: "MintAPIKeyWithOptions",
    topic: "APIKeys",
    generations: everyGeneration,
    args: {
      persona: field("persona", string),
      instanceSlug: field("instanceSlug", string),
      opts: field("opts", ApiKeyMintOptions),
    },
    result: several({ apiKey: ApiKey, key: string }),
    errors: [
      "insufficient_role_authority",
      "invalid_expiry",
      "invalid_role",
      "missing_name",
      "permission_group_not_found",
      "role_assignment_escalation",
      "unknown_role",
    ],
    mutates: { kind: "api_key", result: "apiKey.id" },
    note: "r0 metadata, r1 full plaintext key (only time it is returned).",
  }),
  resolveApiKey: method({
    name: "ResolveAPIKey",
    topic: "APIKeys",
    generations: everyGeneration,
    args: { keyId: field("keyID", string), secret: field("secret", string) },
    result: several({ permissionGroupId: string, permissions: list(string) }),
    errors: ["invalid_token", "token_expired", "token_revoked"],
    note: "r0 permission-group id, r1 effective permissions.",
  }),
  resolveApiKeyDetailed: method({
    name: "ResolveAPIKeyDetailed",
    topic: "APIKeys",
    generations: everyGeneration,
    args: { keyId: field("keyID", string), secret: field("secret", string) },
    result: ResolvedApiKey,
    errors: ["invalid_token", "token_expired", "token_revoked"],
    introspection: true,
  }),
  revokeApiKey: method({
    name: "RevokeAPIKey",
    topic: "APIKeys",
    generations: everyGeneration,
    args: {
      persona: field("persona", string),
      instanceSlug: field("instanceSlug", string),
      tokenId: field("tokenID", string),
    },
    result: bool,
    errors: ["permission_group_not_found"],
    mutates: { kind: "api_key", args: ["tokenId"] },
    note: "tokenID is the row id (APIKey.ID), not KeyID. false when nothing matched.",
  }),
};
