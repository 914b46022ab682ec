import { AuthError } from "../contract/errors/index.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { KeySet } from "./keys.ts";
import type { Principal } from "./principal.ts";
import type { VerifiedToken } from "./token-verification.ts";

/** Estimate of the bytes an entry costs beside its token: principal, claims, table slots. */
const overhead = 2_000;

interface Entry {
  readonly principal: Principal;
  readonly issuer: string;
  /** Seconds since the epoch. */
  readonly expires: number;
  readonly keys: KeySet;
}

/**
 * Remembers user tokens that have been verified, by their text. An entry is good until the token expires, and only while the keys it was verified
 * with are the issuer's current ones: a key that is withdrawn takes its tokens with it. Principals that were looked up are never kept.
 */
export function createCachedVerification(parts: {
  readonly verify: (token: string) => Promise<VerifiedToken>;
  readonly principalOf: (verified: VerifiedToken) => Promise<Principal>;
  readonly currentKeys: (issuer: string) => KeySet | undefined;
  /** Bytes. */
  readonly capacity: number;
  /** Seconds. */
  readonly skew: number;
  /** Seconds since the epoch. */
  readonly now: () => number;
}): { verify(token: string): Promise<Principal> } {
  const { verify, principalOf, currentKeys, capacity, skew, now } = parts;
  const entries = new BoundedCache<Entry>(capacity);
  return {
    async verify(token) {
      const entry = entries.get(token);
      if (entry !== undefined && currentKeys(entry.issuer) === entry.keys) {
        if (entry.expires >= now() - skew) return entry.principal;
        entries.delete(token);
        throw new AuthError("token_expired");
      }
      entries.delete(token);
      const verified = await verify(token);
      const principal = await principalOf(verified);
      if (verified.application === undefined) {
        const { issuer, expires, keys } = verified;
        entries.set(token, { principal, issuer, expires, keys }, token.length * 2 + overhead);
      }
      return principal;
    },
  };
}
