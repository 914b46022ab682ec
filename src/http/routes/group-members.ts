import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import type { Subject } from "../../core/groups/index.ts";
import { isUuid } from "../../core/identifiers/index.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";

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

/** Runs an operation and says its refusals in the codes of these routes. */
export async function asBrowser<T>(context: RouteContext, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    if (error.code === "2fa_enrollment_required") {
      throw new AuthError("2fa_enrollment_required", {
        metadata: {
          requires_2fa_enrollment: true,
          allowed_methods: context.core.mfaStates.availableMethods(),
          subject: "target",
        },
      });
    }
    for (const [from, to] of refusals) if (error.code === from) throw new AuthError(to, { cause: error });
    throw error;
  }
}

/** The signed-in user, who holds the permission in the group of the path. Throws `not_authenticated`, `invalid_request`, `forbidden`. */
export async function authorize(
  context: RouteContext,
  params: Readonly<Record<string, string>>,
  permission: string,
): Promise<{ readonly actor: string; readonly persona: string; readonly instanceSlug: string }> {
  const { userId } = requireUser(context, "not_authenticated");
  const persona = params["persona"] ?? "";
  const instanceSlug = (params["instance_slug"] ?? "").trim();
  if (instanceSlug === "") throw new AuthError("invalid_request");
  const allowed = await context.core.groups.can({ id: userId, kind: "user" }, `${persona}:${permission}`, {
    persona,
    instanceSlug,
  });
  if (!allowed) throw new AuthError("forbidden");
  return { actor: userId, persona, instanceSlug };
}

/** Throws `not_found` for what cannot be the id of a user. */
function userOf(params: Readonly<Record<string, string>>): Subject {
  const id = (params["user"] ?? "").trim().toLowerCase();
  if (!isUuid(id)) throw new AuthError("not_found");
  return { id, kind: "user" };
}

const shared = {
  group: "permission_groups",
  since: "0.73",
  auth: "required",
  limit: null,
  failure: "database_error",
  personas: ({ name }: { readonly name: string }) => name !== "root",
} as const;
const changed = Type.Object({
  ok: Type.Literal(true),
  persona: Type.String(),
  instance_slug: Type.String(),
  user_id: Type.String(),
  role: Type.Optional(Type.String()),
});

/** Members of a group, and the roles there are. */
export const groupMemberRoutes: readonly Route[] = [
  route({
    ...shared,
    method: "GET",
    path: "/{persona}/{instance_slug}/members",
    summary: "List the direct members of a group.",
    replies: {
      200: Type.Object({
        object: Type.Literal("list"),
        persona: Type.String(),
        instance_slug: Type.String(),
        data: Type.Array(
          Type.Object({ subject_id: Type.String(), subject_kind: Type.String(), role: Type.String() }),
        ),
      }),
    },
    errors: ["not_authenticated", "invalid_request", "forbidden", "not_found", "database_error"],
    async handle(context, { params }) {
      const { persona, instanceSlug } = await authorize(context, params, "members:read");
      const members = await asBrowser(context, context.core.groups.members({ persona, instanceSlug }));
      return json(200, {
        object: "list",
        persona,
        instance_slug: instanceSlug,
        data: members.map(({ subjectId, subjectKind, role }) => ({
          subject_id: subjectId,
          subject_kind: subjectKind,
          role,
        })),
      });
    },
  }),
  route({
    ...shared,
    method: "DELETE",
    path: "/{persona}/{instance_slug}/members/{user}",
    summary: "Take all roles in a group away from a user; also a success when there are none.",
    replies: { 200: changed },
    errors: [
      "not_authenticated",
      "invalid_request",
      "forbidden",
      "not_found",
      "cannot_remove_last_owner",
      "database_error",
    ],
    async handle(context, { params }) {
      const { actor, persona, instanceSlug } = await authorize(context, params, "members:manage");
      const user = userOf(params);
      await asBrowser(context, context.core.groups.removeAs(actor, { persona, instanceSlug }, user, context));
      return json(200, { ok: true, persona, instance_slug: instanceSlug, user_id: user.id });
    },
  }),
  route({
    ...shared,
    method: "PUT",
    path: "/{persona}/{instance_slug}/members/{user}/roles/{role}",
    summary: "Give a user a role in a group, in place of the present one.",
    replies: { 200: changed },
    errors: [
      "not_authenticated",
      "invalid_request",
      "forbidden",
      "2fa_enrollment_required",
      "not_found",
      "cannot_remove_last_owner",
      "database_error",
    ],
    async handle(context, { params }) {
      const { actor, persona, instanceSlug } = await authorize(context, params, "members:manage");
      const { groups } = context.core;
      const user = userOf(params);
      const role = (params["role"] ?? "").trim();
      if (groups.catalogue.persona(persona)?.requireConsent === true) {
        // Joining needs the user's own word here; only the role of somebody who has joined may be changed.
        const held = await groups.memberships(user);
        const group = await asBrowser(context, groups.resolve({ persona, instanceSlug }));
        if (!held.some(({ groupId }) => groupId === group.id)) throw new AuthError("not_found");
      }
      await asBrowser(context, groups.assignAs(actor, { persona, instanceSlug }, user, role, context));
      return json(200, { ok: true, persona, instance_slug: instanceSlug, user_id: user.id, role });
    },
  }),
];
