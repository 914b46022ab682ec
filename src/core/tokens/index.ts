import type { Config } from "../../config/config.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log/port.ts";
import type { KeyRing } from "../signing-keys/types.ts";
import { assuranceOf, claimedMethods, mergeExtraClaims } from "./access-claims.ts";
import { encodeSorted } from "./json.ts";
import { createJwsSigner } from "./jws.ts";
import { tokenType } from "./typ.ts";
import type { AccessTokenSubject, IssuedToken, Tokens } from "./types.ts";

export { createTokenMint, type TokenMint } from "./mint.ts";
export { mintedEntry } from "./minted.ts";
export { tokenType } from "./typ.ts";
export type { AccessTokenSubject, IssuedToken, Tokens } from "./types.ts";

/** Seconds a 2FA-enrolment token lives, whatever the configuration. */
const enrollmentSeconds = 600;

/** The issuing side of tokens: claims, deterministic encoding, synchronous signature. */
export function createTokens(config: Config, keyRing: KeyRing, clock: Clock, log: Log): Tokens {
  const signer = createJwsSigner(keyRing);
  const entitlements = config.development.staticEntitlements ?? null;

  function baseClaims(userId: string, now: number, seconds: number): Record<string, unknown> {
    return {
      iss: config.issuer,
      sub: userId.toLowerCase(),
      aud: config.audiences,
      iat: now,
      exp: now + seconds,
      entitlements,
    };
  }

  function issue(claims: Record<string, unknown>, expiresAt: number): IssuedToken {
    return {
      token: signer.sign(tokenType.access, encodeSorted(claims)),
      expiresAt: new Date(expiresAt * 1000),
    };
  }

  function accessToken({ userId, session, mfaEnrolled, extra }: AccessTokenSubject): IssuedToken {
    const now = clock.epochSeconds();
    const claims = baseClaims(userId, now, config.tokens.accessTtlSeconds);
    if (session !== undefined) {
      const methods = claimedMethods(session.methods);
      claims["sid"] = session.id;
      claims["auth_time"] = Math.floor(session.authenticatedAt.getTime() / 1000);
      claims["amr"] = methods;
      claims["acr"] = assuranceOf(methods);
    }
    // Without factors in use nobody could satisfy a gate that asks an enrolled user for one.
    if (mfaEnrolled && config.mfa.mode !== "disabled") claims["mfa_enrolled"] = true;
    if (extra !== undefined) mergeExtraClaims(claims, extra, userId, log);
    return issue(claims, now + config.tokens.accessTtlSeconds);
  }

  function enrollmentToken(userId: string): IssuedToken {
    const now = clock.epochSeconds();
    return issue(
      { ...baseClaims(userId, now, enrollmentSeconds), "2fa_enrollment": true },
      now + enrollmentSeconds,
    );
  }

  return {
    accessToken,
    enrollmentToken,
    sign: (typ, claims) => signer.sign(typ, encodeSorted(claims)),
  };
}
