import type { ApiKey } from "../../contract/dtos/index.ts";
import type { ApiKeyRecord } from "../../core/api-keys/index.ts";
import type { HandlerFactory } from "./index.ts";

function apiKeyDto(key: ApiKeyRecord): ApiKey {
  return { ...key, createdBy: key.createdBy ?? "" };
}

/** API keys of groups, and the look-up of presented ones. */
export const apiKeyHandlers: HandlerFactory = ({ apiKeys }) => ({
  mintApiKey: async ({ persona, instanceSlug, ...request }, { callContext }) => {
    const { key, text } = await apiKeys.mint({ persona, instanceSlug }, request, callContext);
    return { apiKey: apiKeyDto(key), key: text };
  },
  mintApiKeyWithOptions: async ({ persona, instanceSlug, opts }, { callContext }) => {
    const { key, text } = await apiKeys.mint({ persona, instanceSlug }, opts, callContext);
    return { apiKey: apiKeyDto(key), key: text };
  },
  listApiKeys: async (address) => {
    const keys = await apiKeys.list(address);
    return keys.length === 0 ? null : keys.map(apiKeyDto);
  },
  revokeApiKey: ({ persona, instanceSlug, tokenId }, { callContext }) =>
    apiKeys.revoke({ persona, instanceSlug }, tokenId, callContext),
  resolveApiKey: async ({ keyId, secret }) => {
    const { groupId, permissions } = await apiKeys.find(keyId, secret);
    return { permissionGroupId: groupId, permissions };
  },
  resolveApiKeyDetailed: async ({ keyId, secret }) => {
    const found = await apiKeys.find(keyId, secret);
    return { ...found, apiKeyId: found.id, permissionGroupId: found.groupId };
  },
});
