import { AuthError } from "../../contract/errors/index.ts";
import { isSlug } from "../../core/identifiers/index.ts";
import { requireUser } from "../principals.ts";
import type { RouteContext } from "../route.ts";

const refusals = new Map([
  ["permission_group_not_found", "not_found"],
  ["user_not_found", "not_found"],
  ["cannot_remove_last_admin_role", "cannot_remove_last_owner"],
  ["insufficient_role_authority", "forbidden"],
  ["role_assignment_escalation", "forbidden"],
  ["role_not_assignable", "invalid_request"],
  ["group_membership_invite_not_found", "not_found"],
  ["group_invite_link_expired", "invalid_request"],
  ["group_invite_link_revoked", "invalid_request"],
  ["group_invite_link_not_found", "not_found"],
  ["invalid_invite", "invalid_request"],
  ["custom_role_grant_outside_catalog", "invalid_request"],
  ["custom_role_is_catalog_role", "invalid_request"],
  ["custom_role_name_invalid", "invalid_request"],
  ["custom_roles_not_supported", "invalid_request"],
  ["external_invites_disabled", "forbidden"],
  ["invalid_remote_application", "invalid_request"],
  ["reserved_issuer", "invalid_request"],
  ["remote_application_not_found", "not_found"],
  ["invalid_expiry", "invalid_request"],
  ["missing_name", "invalid_request"],
  ["unknown_role", "invalid_request"],
  ["invalid_role", "invalid_request"],
] as const);

/**
 * Runs an operation and says its refusals in the codes of these routes. `about` tells whose second factor is missing when the operation is
 * about somebody other than the caller.
 */
export async function asBrowser<T>(context: RouteContext, work: Promise<T>, about?: "target"): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    if (error.code === "2fa_enrollment_required") {
      throw new AuthError("2fa_enrollment_required", {
        metadata: {
          requires_2fa_enrollment: true,
          allowed_methods: context.core.mfaStates.availableMethods(),
          ...(about === undefined ? {} : { subject: about }),
        },
      });
    }
    for (const [from, to] of refusals) if (error.code === from) throw new AuthError(to, { cause: error });
    throw error;
  }
}

type Params = Readonly<Record<string, string>>;

/** The signed-in user and the group the path names. Throws `not_authenticated`, `invalid_request` for a blank slug. */
export function addressed(context: RouteContext, params: Params) {
  const { userId } = requireUser(context, "not_authenticated");
  const persona = params["persona"] ?? "";
  const instanceSlug = (params["instance_slug"] ?? "").trim();
  if (instanceSlug === "") throw new AuthError("invalid_request");
  return { actor: userId, persona, instanceSlug };
}

/**
 * For `before` of a route: whoever lacks the permission in the group of the path is refused whatever the body says, then the bucket is
 * charged by client address. An unknown group is `forbidden` like any other, a slug no group can have `not_found`.
 */
export function needs(
  permission: string,
  bucket?: string,
): (context: RouteContext, params: Params) => Promise<undefined> {
  return async (context, params) => {
    const { actor, persona, instanceSlug } = addressed(context, params);
    if (persona !== "root" && !isSlug(instanceSlug)) throw new AuthError("not_found");
    const { groups } = context.core;
    const subject = { id: actor, kind: "user" } as const;
    if (!(await groups.can(subject, `${persona}:${permission}`, { persona, instanceSlug })))
      throw new AuthError("forbidden");
    if (bucket !== undefined) await context.limitIp(bucket);
    return undefined;
  };
}
