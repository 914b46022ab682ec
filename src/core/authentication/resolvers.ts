import type { VerificationKey } from "../signing-keys/types.ts";
import type { ApiKeyPrincipal } from "./principal.ts";

/** Looks up a presented API key. */
export interface ApiKeyResolver {
  /**
   * The key's principal. Rejects with `invalid_token` (unknown key, wrong secret, group deleted, storage error), `token_revoked` or
   * `token_expired`. The secret is compared in constant time.
   */
  resolve(keyId: string, secret: string): Promise<ApiKeyPrincipal>;
}

/** An enabled remote application as an issuer of tokens. */
export interface ApplicationIssuer {
  readonly applicationId: string;
  readonly slug: string;
  readonly issuer: string;
  /** Audiences its tokens must name one of; empty = unchecked. Normally those of this server. */
  readonly audiences: readonly string[];
  /** Its public keys, from the store or its JWKS. */
  keys(): Promise<ReadonlyMap<string, VerificationKey>>;
  /** Fetches the keys again, at most once in 30 s however often it is called; false when nothing was fetched. */
  refetch(): Promise<boolean>;
}

/** What an application may do, from the roles assigned to it. */
export interface ApplicationAuthority {
  readonly permissions: readonly string[];
  readonly persona: string;
  readonly instanceSlug: string;
}

/** Looks up remote applications. Caches, single flight and negative answers are its business. */
export interface RemoteApplicationResolver {
  /** Undefined when no enabled application has this issuer. Asked for every request, so that switching one off acts at once. */
  byIssuer(issuer: string): Promise<ApplicationIssuer | undefined>;
  authority(applicationId: string): Promise<ApplicationAuthority>;
}
