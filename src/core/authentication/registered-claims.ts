import { AuthError } from "../../contract/errors/index.ts";
import type { JsonMembers } from "./compact.ts";

/** The texts in a claim; anything that is no array has none. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** A claim's text; undefined when it is no text or blank. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

function sharesAudience(aud: unknown, audiences: readonly string[]): boolean {
  if (typeof aud === "string") return audiences.includes(aud);
  return textsOf(aud).some((audience) => audiences.includes(audience));
}

function seconds(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? Math.trunc(value) : undefined;
}

/** `nbf` or `iat`: not in the future; present but no number is refused. */
function assertNotLater(value: unknown, latest: number): void {
  if (value === undefined) return;
  const at = seconds(value);
  if (at === undefined) throw new AuthError("invalid_token");
  if (at > latest) throw new AuthError("token_not_yet_valid");
}

/**
 * Audience and times of a token whose signature is good (RFC 7519 §4.1), in this order. No audiences expected = none checked. Times are
 * seconds; fractions are cut off; a token is valid up to and including `exp` + `skew`.
 * @returns `exp`
 * @throws AuthError `bad_audience`, `missing_exp`, `token_expired`, `token_not_yet_valid`
 */
export function checkRegisteredClaims(
  claims: JsonMembers,
  audiences: readonly string[],
  now: number,
  skew: number,
): number {
  if (audiences.length > 0 && !sharesAudience(claims["aud"], audiences)) throw new AuthError("bad_audience");
  const expires = seconds(claims["exp"]);
  if (expires === undefined) throw new AuthError("missing_exp");
  if (expires < now - skew) throw new AuthError("token_expired");
  assertNotLater(claims["nbf"], now + skew);
  assertNotLater(claims["iat"], now + skew);
  return expires;
}
