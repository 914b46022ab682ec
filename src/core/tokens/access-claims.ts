import type { Log } from "../../platform/log/port.ts";

/** Claims a caller may never bring into a user access token: identity, authority and assurance come from the server alone. */
const reserved: ReadonlySet<string> = new Set([
  "roles",
  "permissions",
  "global_roles",
  "org_roles",
  "groups",
  "email",
  "email_verified",
  "username",
  "discord_username",
  "user_tier",
  "plan",
  "delegated_sub",
  "attributes",
  "amr",
  "acr",
  "auth_time",
  "jti",
  "mfa_enrolled",
  "documents",
  "token_use",
  "scope",
  "nbf",
  "cnf",
  "act",
  "azp",
  "client_id",
  // A session's id comes from a live session alone.
  "sid",
]);

function loggable(text: string): string {
  return text.replace(/[\r\n]/g, "");
}

/**
 * Adds `extra` to `claims`. A claim the server has set stays as it is, silently; a reserved one is dropped with a warning that names the
 * claim and the user, never the value. So is a `sid` when no live session of the user has put its own there.
 */
export function mergeExtraClaims(
  claims: Record<string, unknown>,
  extra: Readonly<Record<string, unknown>>,
  userId: string,
  log: Log,
): void {
  for (const [claim, value] of Object.entries(extra)) {
    if (value === undefined || Object.hasOwn(claims, claim)) continue;
    if (reserved.has(claim)) {
      log.warn(
        { claim: loggable(claim), userId: loggable(userId) },
        "claim dropped from an access token: callers may not set it",
      );
      continue;
    }
    claims[claim] = value;
  }
}

/** Authentication methods as claimed: lower-case, trimmed, distinct; `pwd` when there are none. */
export function claimedMethods(methods: readonly string[]): string[] {
  const distinct = new Set<string>();
  for (const method of methods) {
    const name = method.trim().toLowerCase();
    if (name !== "") distinct.add(name);
  }
  return distinct.size === 0 ? ["pwd"] : [...distinct];
}

/** Level of assurance that methods amount to. */
export function assuranceOf(methods: readonly string[]): string {
  return methods.includes("otp") || methods.includes("mfa") ? "urn:authkit:loa:2" : "urn:authkit:loa:1";
}
