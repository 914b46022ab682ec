import type { CustomJwtMintOptions } from "../../contract/dtos/tokens.ts";
import { AuthError } from "../../contract/errors/index.ts";
import {
  assertSigner,
  distinctTexts,
  epochSeconds,
  givenMillis,
  type MintContext,
  signClaims,
  tokenId,
} from "./mint-input.ts";
import { isOwnType } from "./typ.ts";

const maxClaims = 64;
const longestLifetime = 3_600_000;
/** Set by the server alone. */
const reservedClaims = ["iss", "iat", "exp"];

/**
 * A token of the caller's own type and claims, living one hour at most. It can be no token of ours: our types are refused, and so is
 * `token_use: "service"`.
 * @throws AuthError `missing_signer`, `custom_jwt_empty_claims`, `custom_jwt_too_many_claims`, `custom_jwt_ttl_required`,
 *   `custom_jwt_reserved_type`, `custom_jwt_reserved_claim`, checked in this order
 */
export function mintCustomJwt(context: MintContext, options: CustomJwtMintOptions): string {
  const { config, clock } = context;
  assertSigner(context);
  const names = Object.keys(options.claims);
  if (names.length === 0) throw new AuthError("custom_jwt_empty_claims");
  if (names.length > maxClaims) throw new AuthError("custom_jwt_too_many_claims");
  const asked = givenMillis(options.ttl);
  if (asked === undefined) throw new AuthError("custom_jwt_ttl_required");
  const type = options.type.trim();
  if (isOwnType(type)) throw new AuthError("custom_jwt_reserved_type");
  if (
    reservedClaims.some((name) => Object.hasOwn(options.claims, name)) ||
    options.claims["token_use"] === "service"
  ) {
    throw new AuthError("custom_jwt_reserved_claim");
  }
  const now = clock.millis();
  const subject = options.subject.trim();
  const audiences = distinctTexts(options.audiences);
  const jti = tokenId(context);
  return signClaims(context, type === "" ? "JWT" : type, {
    ...(jti === "" ? {} : { jti }),
    ...options.claims,
    ...(subject === "" ? {} : { sub: subject }),
    ...(audiences.length === 0 ? {} : { aud: audiences }),
    iss: options.issuer.trim() || config.issuer,
    iat: epochSeconds(now),
    exp: epochSeconds(now + Math.min(asked, longestLifetime)),
  });
}
