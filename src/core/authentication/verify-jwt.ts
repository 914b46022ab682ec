import type { Config } from "../../config/config.ts";
import { AuthError } from "../../contract/errors/index.ts";
import type { Clock } from "../../platform/clock.ts";
import type { KeyRing, KeySet } from "../signing-keys/types.ts";
import { type CompactToken, parseCompact } from "./compact.ts";
import { checkDocumentClaim } from "./document-claim.ts";
import { checkRegisteredClaims } from "./registered-claims.ts";
import type { ApplicationIssuer, RemoteApplicationResolver } from "./resolvers.ts";
import { hasAllowedAlgorithm, hasValidSignature, keyFor } from "./signature.ts";
import { classify, type TokenClass } from "./token-class.ts";

/** Longer issuer names are not looked up. */
const maxIssuerLength = 2048;
/** Milliseconds between reloads of our own keys because of an unknown key id. */
const reloadInterval = 5_000;

/** A token whose signature, times, audience and class are all good. */
export interface VerifiedJwt {
  readonly class: TokenClass;
  readonly claims: Readonly<Record<string, unknown>>;
  /** `exp`, seconds. */
  readonly expires: number;
  /** Key set it was verified with; undefined for tokens of applications. */
  readonly keys: KeySet | undefined;
  /** Undefined for tokens of our own. */
  readonly application: ApplicationIssuer | undefined;
}

export interface JwtVerifierContext {
  readonly config: Config;
  readonly keyring: KeyRing;
  readonly clock: Clock;
  readonly remoteApplications?: RemoteApplicationResolver | undefined;
}

/**
 * Verifies bearer JWTs: our own with the key ring, synchronously; those of remote applications with the keys their resolver has. Every
 * failure up to the signature is `invalid_token`, so that nobody learns which part was wrong.
 */
export function createJwtVerifier(context: JwtVerifierContext): {
  verify(token: string): VerifiedJwt | Promise<VerifiedJwt>;
} {
  const { config, keyring, clock, remoteApplications } = context;
  let reloadedAt = Number.NEGATIVE_INFINITY;

  function accept(token: CompactToken, from: ApplicationIssuer | KeySet): VerifiedJwt {
    const application = "applicationId" in from ? from : undefined;
    const keys = "applicationId" in from ? undefined : from;
    if (token.duplicateClaims.some((name) => name !== "documents")) throw new AuthError("invalid_token");
    const expires = checkRegisteredClaims(
      token.claims,
      application?.audiences ?? config.audiences,
      clock.epochSeconds(),
      config.tokens.skewSeconds,
    );
    if (config.contract === "0.97") checkDocumentClaim(token);
    else if (token.duplicateClaims.length > 0) throw new AuthError("invalid_token");
    const found = classify(
      token.header,
      token.claims,
      application === undefined ? "first-party" : "remote-application",
    );
    return { class: found, claims: token.claims, expires, keys, application };
  }

  function verifyOwn(token: CompactToken): VerifiedJwt | undefined {
    const keys = keyring.current();
    const key = keyFor(token, keys.byKid);
    if (key === undefined) return undefined;
    if (!hasValidSignature(token, key)) throw new AuthError("invalid_token");
    return accept(token, keys);
  }

  /** Another process may have activated a key this one has not heard of. */
  async function verifyAfterReload(token: CompactToken): Promise<VerifiedJwt> {
    await keyring.reload();
    const verified = verifyOwn(token);
    if (verified === undefined) throw new AuthError("invalid_token");
    return verified;
  }

  async function isSignedBy(token: CompactToken, application: ApplicationIssuer): Promise<boolean> {
    const key = keyFor(token, await application.keys());
    return key !== undefined && hasValidSignature(token, key);
  }

  async function verifyForeign(token: CompactToken, issuer: string): Promise<VerifiedJwt> {
    const application = await remoteApplications?.byIssuer(issuer);
    if (application === undefined) throw new AuthError("invalid_token");
    let signed = await isSignedBy(token, application);
    if (!signed && (await application.refetch())) signed = await isSignedBy(token, application);
    if (!signed) throw new AuthError("invalid_token");
    return accept(token, application);
  }

  return {
    verify(text) {
      const token = parseCompact(text);
      const issuer = token.claims["iss"];
      if (!hasAllowedAlgorithm(token) || typeof issuer !== "string") throw new AuthError("invalid_token");
      if (issuer !== config.issuer) {
        if (issuer.trim() === "" || issuer.length > maxIssuerLength) throw new AuthError("invalid_token");
        return verifyForeign(token, issuer);
      }
      const verified = verifyOwn(token);
      if (verified !== undefined) return verified;
      const now = clock.monotonic();
      if (now < reloadedAt + reloadInterval) throw new AuthError("invalid_token");
      reloadedAt = now;
      return verifyAfterReload(token);
    },
  };
}
