import { AuthError } from "../../contract/errors/index.ts";
import type { JsonMembers } from "./compact.ts";
import { covered } from "./permission-cover.ts";
import type { DelegatedPrincipal, RemoteApplicationPrincipal } from "./principal.ts";
import { textsOf } from "./registered-claims.ts";
import type { ApplicationAuthority, ApplicationIssuer } from "./resolvers.ts";

/** The permissions a token claims, trimmed and distinct, each within what the application holds. Throws `permission_not_granted`. */
function claimedWithin(claim: unknown, authority: ApplicationAuthority): string[] {
  const claimed = new Set<string>();
  for (const text of textsOf(claim)) {
    const permission = text.trim();
    if (permission === "") continue;
    if (!covered(authority.permissions, permission)) throw new AuthError("permission_not_granted");
    claimed.add(permission);
  }
  return [...claimed];
}

/** An application acting for itself: its whole stored authority, or the part of it the token asks for. Roles it claims are ignored. */
export function remoteApplicationPrincipal(
  claims: JsonMembers,
  application: ApplicationIssuer,
  authority: ApplicationAuthority,
): RemoteApplicationPrincipal {
  const { permissions } = claims;
  return {
    kind: "remote_application",
    applicationId: application.applicationId,
    slug: application.slug,
    issuer: application.issuer,
    permissions: permissions === undefined ? authority.permissions : claimedWithin(permissions, authority),
    persona: authority.persona,
    instanceSlug: authority.instanceSlug,
  };
}

/** A subject of an application. Without a `permissions` claim it has none: the application's authority is a ceiling, not a grant. */
export function delegatedPrincipal(
  claims: JsonMembers,
  application: ApplicationIssuer,
  authority: ApplicationAuthority,
): DelegatedPrincipal {
  const { attributes, delegated_sub: subject } = claims;
  return {
    kind: "delegated",
    issuer: application.issuer,
    subject: typeof subject === "string" ? subject : "",
    applicationId: application.applicationId,
    applicationSlug: application.slug,
    permissions: claimedWithin(claims["permissions"], authority),
    attributes:
      typeof attributes === "object" && attributes !== null && !Array.isArray(attributes)
        ? { ...attributes }
        : {},
    persona: authority.persona,
    instanceSlug: authority.instanceSlug,
  };
}
