import { AuthError } from "../contract/errors/index.ts";
import { seconds, text, texts, tokenType, typOf } from "./claims.ts";
import type { Members } from "./compact.ts";
import type { ServicePrincipal } from "./principal.ts";

/** Rules for tokens of back-end services. */
export interface ServiceJwtOptions {
  /** Seconds between `iat` and `exp` at most; default 900. */
  readonly maxLifetime?: number | undefined;
  /** Rejects, or throws, when the token was seen before. `expires`: seconds since the epoch until which it has to be remembered. */
  readonly replayChecker?:
    | ((jti: string, issuer: string, expires: number) => Promise<void> | void)
    | undefined;
}

function required(value: unknown, code: "missing_iat" | "missing_nbf" | "missing_exp"): number {
  const at = seconds(value);
  if (at === undefined) throw new AuthError(code);
  return at;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values.map((value) => value.trim()))].filter((value) => value !== "");
}

function permissionsOf(claims: Members): string[] {
  const { permissions, scope } = claims;
  if (permissions !== undefined && permissions !== null) {
    if (!Array.isArray(permissions) || permissions.some((item) => typeof item !== "string"))
      throw new AuthError("malformed_permissions");
    const named = distinct(texts(permissions));
    if (named.length > 0) return named;
  }
  return distinct(typeof scope === "string" ? scope.split(" ") : texts(scope));
}

/** What the verifier knows beside the token. */
export interface ServiceIssuer {
  readonly remoteApplicationId: string | undefined;
  /** Tokens without `typ` are service tokens as well. */
  readonly acceptUntyped: boolean;
}

/**
 * The service a verified token speaks for.
 * @throws AuthError `invalid_service_jwt`, `missing_iat`, `missing_nbf`, `missing_exp`, `service_jwt_lifetime_exceeded`, `missing_audience`,
 *   `malformed_permissions`, and whatever the replay checker throws
 */
export async function servicePrincipal(
  header: Members,
  claims: Members,
  { maxLifetime = 900, replayChecker }: ServiceJwtOptions,
  { remoteApplicationId, acceptUntyped }: ServiceIssuer,
): Promise<ServicePrincipal> {
  const issuer = text(claims["iss"]);
  const subject = text(claims["sub"]);
  const jti = text(claims["jti"]);
  const typ = typOf(header);
  if (
    (typ !== tokenType.service && !(acceptUntyped && typ === "")) ||
    issuer === undefined ||
    subject === undefined ||
    jti === undefined ||
    claims["token_use"] !== "service" ||
    claims["delegated_sub"] !== undefined
  ) {
    throw new AuthError("invalid_service_jwt");
  }
  const issuedAt = required(claims["iat"], "missing_iat");
  required(claims["nbf"], "missing_nbf");
  const expires = required(claims["exp"], "missing_exp");
  if (expires - issuedAt > maxLifetime) throw new AuthError("service_jwt_lifetime_exceeded");
  const { aud } = claims;
  const audiences = distinct(typeof aud === "string" ? [aud] : texts(aud));
  if (audiences.length === 0) throw new AuthError("missing_audience");
  const permissions = permissionsOf(claims);
  await replayChecker?.(jti, issuer, expires);
  const granted = { audiences, permissions, scope: undefined };
  return { kind: "service", issuer, subject, jti, ...granted, remoteApplicationId, claims };
}
