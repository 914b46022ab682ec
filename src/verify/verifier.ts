import { AuthError } from "../contract/errors/index.ts";
import { createApiKeys } from "./api-keys.ts";
import { type Applications, claimedPermissions, claimedWithin, createApplications } from "./applications.ts";
import { createCachedVerification } from "./cached-verification.ts";
import type { Members } from "./compact.ts";
import { createDelegatedAccess, type DelegatedOptions } from "./delegated.ts";
import { documentReferences } from "./documents.ts";
import type { IssuerOptions } from "./issuers.ts";
import { type Algorithm, supportedAlgorithms } from "./keys.ts";
import type { Lookup } from "./lookup.ts";
import {
  type DelegatedPrincipal,
  delegatedPrincipal,
  type Principal,
  type ServicePrincipal,
  userPrincipal,
} from "./principal.ts";
import { type ServiceJwtOptions, servicePrincipal } from "./service-jwt.ts";
import { createTokenVerification, type VerifiedToken } from "./token-verification.ts";

export interface VerifierOptions extends DelegatedOptions {
  readonly issuers: readonly IssuerOptions[];
  /** Seconds clocks may differ; default 60. */
  readonly skew?: number | undefined;
  /** Narrows what tokens may be signed with; default all of RS256, ES256, ES384, ES512, EdDSA. Empty refuses every token. */
  readonly algorithms?: readonly Algorithm[] | undefined;
  /** Prefix of API keys before `_st_`; default none. */
  readonly apiKeyPrefix?: string | undefined;
  /** The authentication server, for API keys, applications, group permissions and liveness. */
  readonly lookup?: Lookup | undefined;
  /** Audiences of applications' tokens; default those of all `issuers`. */
  readonly applicationAudiences?: readonly string[] | undefined;
  /** Seconds until an application is looked up again, so until one that was switched off is refused; default 5. */
  readonly applicationTtl?: number | undefined;
  /** Seconds a resolved API key is remembered, 0–30; default 0. A revoked key works that much longer. */
  readonly apiKeyTtl?: number | undefined;
  /** Users without a second factor are refused with `2fa_enrollment_required`. */
  readonly requireMfaEnrollment?: boolean | undefined;
  /** Takes tokens without `typ` for service tokens, for issuers that never wrote one; default off. */
  readonly acceptUntypedServiceJwt?: boolean | undefined;
  /** Bytes of verified tokens remembered, estimated; default 16 MiB, 0 = none. */
  readonly cacheBytes?: number | undefined;
  /** Longest token accepted, in characters; default 32768. */
  readonly maxTokenLength?: number | undefined;
  /** Replaces the global `fetch` for JWKS; use one with a guard where applications' addresses are not trusted. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds since the epoch; default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Hears of unusable keys and unreachable issuers. */
  readonly report?: ((problem: string) => void) | undefined;
}

/** Verifies what comes as a bearer. All methods reject with `AuthError`. */
export interface Verifier {
  /** A JWT or an API key → whoever it speaks for. Service tokens are refused here: see `verifyServiceJwt`. */
  verify(token: string): Promise<Principal>;
  /** Signature and registered claims alone, for tokens with claims of your own. */
  verifyClaims(token: string): Promise<Members>;
  verifyServiceJwt(token: string, options?: ServiceJwtOptions): Promise<ServicePrincipal>;
  /** Delegated tokens alone, with the policies and the hydration of the options. Throws `not_delegated_access_token` for others. */
  verifyDelegatedAccess(token: string): Promise<DelegatedPrincipal>;
  /** Forgets what was looked up about an application, or about all. */
  forgetApplication(issuer?: string): void;
  readonly lookup: Lookup;
  readonly skew: number;
  readonly requireMfaEnrollment: boolean;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

/** Creates a verifier; make one for each process and keep it, since it holds the keys. Throws for options that make no sense. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuers, skew = 60, lookup = {}, apiKeyTtl = 0 } = options;
  const millis = options.now ?? Date.now;
  const now = (): number => Math.floor(millis() / 1000);
  // What is remembered ages with time itself, not with a wall clock that may be set.
  const elapsed = options.now ?? (() => performance.now());
  if (apiKeyTtl < 0 || apiKeyTtl > 30) throw new RangeError("apiKeyTtl: 0 to 30 seconds");
  const report = options.report ?? (() => undefined);
  // Bound: engines want `fetch` called without a receiver of theirs.
  const fetch: typeof globalThis.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const fetching = { fetch, now: elapsed, report };
  const applications: Applications = createApplications(lookup, fetching, options.applicationTtl ?? 5);
  const algorithms = options.algorithms ?? supportedAlgorithms;
  const tokens = createTokenVerification({
    issuers,
    fetching,
    applications,
    applicationAudiences: options.applicationAudiences ?? [
      ...new Set(issuers.flatMap(({ audiences }) => audiences)),
    ],
    algorithms: new Set(algorithms.filter((name) => supportedAlgorithms.includes(name))),
    maxTokenLength: options.maxTokenLength ?? 32_768,
    skew,
    now,
  });
  const apiKeys = createApiKeys(lookup, { prefix: options.apiKeyPrefix ?? "", ttl: apiKeyTtl, now: elapsed });

  async function principalOf(verified: VerifiedToken): Promise<Principal> {
    const { token, application, issuer } = verified;
    const { claims } = token;
    const documents = documentReferences(token);
    const found = tokens.classify(verified);
    if (found === "user") return userPrincipal(issuer, claims);
    if (application === undefined) {
      // A delegated token of a first-party issuer: that server itself vouches for what it names.
      const permissions = claimedPermissions(claims["permissions"]);
      return delegatedPrincipal(issuer, claims, {
        permissions,
        documents,
        remoteApplicationId: undefined,
        remoteApplicationSlug: undefined,
        scope: undefined,
      });
    }
    const authority = await applications.authority(application);
    const { id: remoteApplicationId, slug: remoteApplicationSlug } = application;
    const { scope } = authority;
    const named = { remoteApplicationId, remoteApplicationSlug, scope };
    if (found === "delegated") {
      const permissions = claimedWithin(claims["permissions"], authority);
      return delegatedPrincipal(issuer, claims, { permissions, documents, ...named });
    }
    const permissions = Object.hasOwn(claims, "permissions")
      ? claimedWithin(claims["permissions"], authority)
      : authority.permissions;
    const subject = remoteApplicationSlug || remoteApplicationId;
    return { kind: "remote_application", issuer, subject, permissions, claims, ...named };
  }

  const cached = createCachedVerification({
    verify: tokens.verify,
    principalOf,
    currentKeys: tokens.currentKeys,
    capacity: options.cacheBytes ?? 16 << 20,
    skew,
    now,
  });

  async function verify(text: string): Promise<Principal> {
    const token = text.trim();
    if (token === "") throw new AuthError("missing_token");
    return apiKeys.isApiKey(token) ? apiKeys.resolve(token) : cached.verify(token);
  }

  const delegatedAccess = createDelegatedAccess(options, lookup, applications);

  return {
    verify,
    async verifyClaims(token) {
      return (await tokens.verify(token.trim())).token.claims;
    },
    async verifyServiceJwt(token, rules = {}) {
      const { token: verified, application } = await tokens.verify(token.trim());
      return servicePrincipal(verified.header, verified.claims, rules, {
        remoteApplicationId: application?.id,
        acceptUntyped: options.acceptUntypedServiceJwt ?? false,
      });
    },
    async verifyDelegatedAccess(token) {
      const principal = await verify(token);
      if (principal.kind !== "delegated") throw new AuthError("not_delegated_access_token");
      return delegatedAccess(principal);
    },
    forgetApplication: (issuer) => applications.forget(issuer),
    lookup,
    skew,
    requireMfaEnrollment: options.requireMfaEnrollment ?? false,
    now,
  };
}
