import { AuthError } from "../contract/errors/index.ts";
import type { CompactToken, Members } from "./compact.ts";

/** JOSE `typ` of each class of token. */
export const tokenType = {
  access: "access+jwt",
  service: "service+jwt",
  delegated: "delegated-access+jwt",
  remoteApplication: "remote-application-access+jwt",
} as const;

/** `first-party`: named in the verifier's options; `remote-application`: known through the look-up alone. */
export type IssuerClass = "first-party" | "remote-application";
export type TokenClass = "user" | "delegated" | "remote_application";

/** The texts of an array claim; anything else has none. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** A claim's text; undefined when it is none or blank. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** A numeric date, seconds; fractions are cut off. */
export function seconds(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? Math.trunc(value) : undefined;
}

/** The `typ` of a verified header as it is compared. */
export function typOf(header: Members): string {
  return typeof header["typ"] === "string" ? header["typ"].trim().toLowerCase() : "";
}

function assertNotLater(value: unknown, latest: number): void {
  if (value === undefined) return;
  const at = seconds(value);
  if (at === undefined) throw new AuthError("invalid_token");
  if (at > latest) throw new AuthError("token_not_yet_valid");
}

/**
 * Audience and times (RFC 7519 §4.1), in this order; no audiences = none checked. A token is valid up to and including `exp` + `skew`.
 * @returns `exp`, seconds
 * @throws AuthError `bad_audience`, `missing_exp`, `token_expired`, `token_not_yet_valid`, `invalid_token`
 */
export function checkRegistered(
  { claims, duplicateClaims }: CompactToken,
  audiences: readonly string[],
  now: number,
  skew: number,
): number {
  if (duplicateClaims.some((name) => name !== "documents")) throw new AuthError("invalid_token");
  const { aud } = claims;
  const named = typeof aud === "string" ? [aud] : texts(aud);
  if (audiences.length > 0 && !named.some((audience) => audiences.includes(audience)))
    throw new AuthError("bad_audience");
  const expires = seconds(claims["exp"]);
  if (expires === undefined) throw new AuthError("missing_exp");
  if (expires < now - skew) throw new AuthError("token_expired");
  assertNotLater(claims["nbf"], now + skew);
  assertNotLater(claims["iat"], now + skew);
  return expires;
}

/**
 * What a verified token is, from its `typ` and the claims its class demands or forbids, so that no token passes for one of another class
 * (RFC 8725 §3.11). The order of the checks is part of the contract.
 * @throws AuthError `bad_issuer`, `conflicting_subject`, `remote_application_access_has_subject`, `access_token_has_sub`,
 *   `delegated_access_wrong_typ`, `access_token_wrong_typ`, `missing_token_typ`, `unsupported_token_typ`, `missing_delegated_sub`,
 *   `missing_sub`, `delegated_access_has_user_tier`, `delegated_access_has_roles`
 */
export function classify({ header, claims }: CompactToken, issuer: IssuerClass): TokenClass {
  const typ = typOf(header);
  if (issuer === "remote-application" && (typ === tokenType.access || typ === tokenType.service))
    throw new AuthError("bad_issuer");
  const { sub, delegated_sub: delegatedSub } = claims;
  const hasSub = typeof sub === "string" && sub !== "";
  const hasDelegatedSub = typeof delegatedSub === "string" && delegatedSub !== "";
  if (hasSub && hasDelegatedSub) throw new AuthError("conflicting_subject");
  if (typ === tokenType.remoteApplication) {
    if (hasSub || hasDelegatedSub) throw new AuthError("remote_application_access_has_subject");
    if (issuer === "first-party") throw new AuthError("bad_issuer");
    return "remote_application";
  }
  if (typ === tokenType.delegated && hasSub) throw new AuthError("access_token_has_sub");
  if (hasDelegatedSub && typ !== tokenType.delegated) throw new AuthError("delegated_access_wrong_typ");
  if (hasSub && typ !== tokenType.access) throw new AuthError("access_token_wrong_typ");
  if (typ === "") throw new AuthError("missing_token_typ");
  if (typ === tokenType.access) {
    if (!hasSub) throw new AuthError("missing_sub");
    return "user";
  }
  if (typ !== tokenType.delegated) throw new AuthError("unsupported_token_typ");
  if (!hasDelegatedSub) throw new AuthError("missing_delegated_sub");
  if (typeof claims["user_tier"] === "string") throw new AuthError("delegated_access_has_user_tier");
  if (texts(claims["roles"]).length > 0) throw new AuthError("delegated_access_has_roles");
  return "delegated";
}
