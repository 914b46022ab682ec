import type { ServiceJwtClaims, ServiceJwtMintOptions } from "../../contract/dtos/tokens.ts";
import { AuthError } from "../../contract/errors/index.ts";
import {
  assertSigner,
  defaultLifetime,
  distinctTexts,
  epochSeconds,
  givenMillis,
  givenTime,
  type MintContext,
  signClaims,
} from "./mint-input.ts";
import { tokenType } from "./typ.ts";

/** Service tokens never live longer. */
const longestLifetime = defaultLifetime;
const jtiBytes = 18;

/**
 * A token with which one service calls another. The lifetime is clamped to 15 minutes; `issuedAt` may lie in the past, but not beyond the
 * clock skew in the future, so that nobody stocks up on tokens.
 * @throws AuthError `invalid_service_jwt` without subject or audience, or for an `issuedAt` in the future; `missing_signer`
 */
export function mintServiceJwt(
  context: MintContext,
  options: ServiceJwtMintOptions,
): { token: string; claims: ServiceJwtClaims } {
  const { config, clock, random } = context;
  const now = clock.millis();
  assertSigner(context);
  const subject = options.subject.trim();
  const audiences = distinctTexts(options.audiences);
  const permissions = distinctTexts(options.permissions);
  const issuedAt = givenTime(options.issuedAt)?.getTime() ?? now;
  if (subject === "" || audiences.length === 0 || issuedAt > now + config.tokens.skewSeconds * 1000) {
    throw new AuthError("invalid_service_jwt");
  }
  const notBefore = givenTime(options.notBefore)?.getTime() ?? issuedAt;
  const expiresAt = issuedAt + Math.min(givenMillis(options.lifetime) ?? longestLifetime, longestLifetime);
  const jti = options.jti.trim() || random.token(jtiBytes);
  const token = signClaims(context, tokenType.service, {
    iss: config.issuer,
    sub: subject,
    aud: audiences,
    iat: epochSeconds(issuedAt),
    nbf: epochSeconds(notBefore),
    exp: epochSeconds(expiresAt),
    jti,
    token_use: "service",
    permissions,
  });
  const claims: ServiceJwtClaims = {
    issuer: config.issuer,
    subject,
    audiences,
    issuedAt: new Date(issuedAt),
    notBefore: new Date(notBefore),
    expiresAt: new Date(expiresAt),
    jti,
    tokenUse: "service",
    permissions,
    scope: null,
  };
  return { token, claims };
}
