import { createHash, timingSafeEqual } from "node:crypto";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/index.ts";
import { apiKeyMarker } from "../authentication/index.ts";
import type { GroupRow, Groups } from "../groups/index.ts";
import { isStorable, isUuid } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { createLastUses } from "./last-uses.ts";
import { type ApiKeyRow, apiKeyStore } from "./store.ts";
import type { ApiKeyRecord, ApiKeyRequest, ApiKeys } from "./types.ts";

export type { ApiKeyRecord, ApiKeyRequest, ApiKeys, MadeKey, ResolvedApiKey } from "./types.ts";

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const keyIdLength = 16;
const secretLength = 43;
const maxNameLength = 128;
const maxRoleLength = 64;
/** Key ids drawn before giving up; a single collision is already beyond all experience. */
const keyIdAttempts = 5;

function hashSecret(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

export interface ApiKeyParts {
  readonly groups: Pick<Groups, "resolve" | "catalogue" | "role" | "lock" | "assertAuthority">;
  readonly audit: Audit;
}

/** See {@link ApiKeys}. */
export function createApiKeys(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "log">,
  parts: ApiKeyParts,
): ApiKeys {
  const { config, database, clock, random, log } = platform;
  const { groups, audit } = parts;
  const marker = apiKeyMarker(config.apiKeys.prefix);
  const lastUses = createLastUses(platform);

  async function described(row: ApiKeyRow, group: GroupRow): Promise<ApiKeyRecord> {
    return { ...row, permissions: (await groups.role(group, row.role))?.permissions ?? [] };
  }

  /** The deployment's cap, silently applied. Throws `invalid_expiry` for a moment that has passed. */
  function expiry(asked: Date | null): Date | null {
    const now = clock.millis();
    if (asked !== null && asked.getTime() <= now) throw new AuthError("invalid_expiry");
    if (config.apiKeys.maxTtlSeconds <= 0) return asked;
    const latest = new Date(now + config.apiKeys.maxTtlSeconds * 1000);
    return asked === null || asked > latest ? latest : asked;
  }

  function parsed(request: ApiKeyRequest) {
    const name = request.name.trim();
    const role = request.role.trim().toLowerCase();
    if (name === "") throw new AuthError("missing_name");
    if (role === "") throw new AuthError("invalid_role");
    if ([...name].length > maxNameLength || !isStorable(name) || role.length > maxRoleLength)
      throw new AuthError("invalid_request");
    return { name, role };
  }

  async function mint(address: Parameters<ApiKeys["mint"]>[0], request: ApiKeyRequest, context: CallContext) {
    const group = await groups.resolve(address);
    const { name, role } = parsed(request);
    // Whether a group has defined a role of its own is answered to whoever may deal in roles there.
    if (!groups.catalogue.mayExist(group.persona, role)) throw new AuthError("unknown_role");
    const createdBy = request.createdBy.trim();
    if (!isUuid(createdBy)) throw new AuthError("insufficient_role_authority");
    return database.transaction(async (tx) => {
      // Under the group's lock, so that an authority taken away at the same moment is not used once more.
      await groups.lock(group, tx);
      await groups.assertAuthority(createdBy, group, "credentials:manage", role, tx);
      const expiresAt = expiry(request.expiresAt);
      const secret = random.characters(base62, secretLength);
      for (let attempt = 1; attempt <= keyIdAttempts; attempt++) {
        const keyId = random.characters(base62, keyIdLength);
        const row = await apiKeyStore.insert(tx, {
          ...{ id: random.uuid(), groupId: group.id, keyId, secretHash: hashSecret(secret) },
          ...{ name, role, createdBy, createdAt: clock.now(), expiresAt },
        });
        if (row === undefined) continue;
        await audit.record(
          {
            action: "api_key.minted",
            target: `api_key:${row.id}`,
            outcome: "ok",
            details: { group: group.id, persona: group.persona, role, keyId },
          },
          context,
          tx,
        );
        return { key: await described(row, group), text: `${marker}${keyId}_${secret}` };
      }
      throw new Error("no free API key id was found");
    });
  }

  async function find(keyId: string, secret: string) {
    if (!isStorable(keyId) || keyId === "") throw new AuthError("invalid_token");
    const row = await apiKeyStore.byKeyId(database, keyId);
    // A key nobody has costs the same comparison.
    const matches = timingSafeEqual(row?.secretHash ?? Buffer.alloc(32), hashSecret(secret));
    if (row === undefined || !matches) throw new AuthError("invalid_token");
    if (row.revokedAt !== null) throw new AuthError("token_revoked");
    if (row.expiresAt !== null && row.expiresAt.getTime() <= clock.millis())
      throw new AuthError("token_expired");
    const { groupId, persona, instanceSlug, displayName } = row;
    const role = await groups.role({ id: groupId, persona, instanceSlug, displayName }, row.role);
    lastUses.note(row.id, row.lastUsedAt);
    return {
      ...{ id: row.id, keyId: row.keyId, groupId, persona, role: row.role },
      instanceSlug: instanceSlug ?? "",
      permissions: role?.permissions ?? [],
    };
  }

  return {
    mint,
    find,

    async list(address) {
      const group = await groups.resolve(address);
      const rows = await apiKeyStore.list(database, group.id);
      const permissions = new Map<string, readonly string[]>();
      for (const { role } of rows) {
        if (!permissions.has(role))
          permissions.set(role, (await groups.role(group, role))?.permissions ?? []);
      }
      return rows.map((row) => ({ ...row, permissions: permissions.get(row.role) ?? [] }));
    },

    madeBy: async (userId) => (isUuid(userId) ? apiKeyStore.madeBy(database, userId, clock.now()) : []),

    async revoke(address, id, context) {
      const group = await groups.resolve(address);
      if (!isUuid(id.trim())) return false;
      return database.transaction(async (tx) => {
        const keyId = await apiKeyStore.revoke(tx, id.trim(), group.id, clock.now());
        if (keyId === undefined) return false;
        const details = { group: group.id, keyId };
        const target = `api_key:${id.trim()}`;
        await audit.record({ action: "api_key.revoked", target, outcome: "ok", details }, context, tx);
        return true;
      });
    },

    async resolve(keyId, secret) {
      try {
        const found = await find(keyId, secret);
        return {
          kind: "api_key",
          keyId: found.keyId,
          role: found.role,
          permissions: found.permissions,
          persona: found.persona,
          instanceSlug: found.instanceSlug,
        };
      } catch (cause) {
        if (isAuthError(cause)) throw cause;
        log.error({ err: cause }, "an API key could not be looked up");
        throw new AuthError("invalid_token", { cause });
      }
    },

    close: () => lastUses.close(),
  };
}
