import { createHash } from "node:crypto";
import { AuthError, isAuthError } from "../contract/errors/index.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { Lookup } from "./lookup.ts";
import type { ApiKeyPrincipal } from "./principal.ts";

const remembered = 10_000;
const maxLength = 256;

/** API keys, checked by asking the authentication server. */
export interface ApiKeys {
  /** A bearer that starts like an API key is one, and never a JWT. */
  isApiKey(token: string): boolean;
  /** Throws `invalid_token`, `token_revoked`, `token_expired`. */
  resolve(token: string): Promise<ApiKeyPrincipal>;
}

export function createApiKeys(
  lookup: Lookup,
  options: {
    readonly prefix: string;
    /** Seconds a good key is remembered. */
    readonly ttl: number;
    readonly now: () => number;
  },
): ApiKeys {
  const prefix = options.prefix.trim();
  const marker = prefix === "" ? "st_" : `${prefix}_st_`;
  const known = new BoundedCache<{ readonly until: number; readonly principal: ApiKeyPrincipal }>(remembered);

  async function ask(keyId: string, secret: string): Promise<ApiKeyPrincipal> {
    if (lookup.resolveApiKeyDetailed === undefined) throw new AuthError("invalid_token");
    try {
      const key = await lookup.resolveApiKeyDetailed({ keyId, secret });
      const { persona, instanceSlug } = key;
      return {
        kind: "api_key",
        issuer: undefined,
        subject: undefined,
        keyId: key.keyId,
        role: key.role,
        permissions: key.permissions,
        scope: persona === undefined ? undefined : { persona, instance: instanceSlug ?? "" },
      };
    } catch (cause) {
      const told = isAuthError(cause, "token_revoked") || isAuthError(cause, "token_expired");
      throw told ? cause : new AuthError("invalid_token", { cause });
    }
  }

  return {
    isApiKey: (token) => token.startsWith(marker),
    async resolve(token) {
      const rest = token.slice(marker.length);
      const separator = rest.indexOf("_");
      if (separator <= 0 || separator === rest.length - 1 || token.length > maxLength)
        throw new AuthError("invalid_token");
      // Remembered under its digest: memory holds no usable keys.
      const digest = createHash("sha256").update(token).digest("base64");
      const found = known.get(digest);
      if (found !== undefined && options.now() < found.until) return found.principal;
      known.delete(digest);
      const principal = await ask(rest.slice(0, separator), rest.slice(separator + 1));
      if (options.ttl > 0) known.set(digest, { until: options.now() + options.ttl * 1000, principal }, 1);
      return principal;
    },
  };
}
