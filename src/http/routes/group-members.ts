import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import type { Subject } from "../../core/groups/index.ts";
import { isUuid } from "../../core/identifiers/index.ts";
import { json, type Route, route } from "../route.ts";
import { addressed, asBrowser, needs } from "./group-access.ts";

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
    before: needs("members:read"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
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
    before: needs("members:manage"),
    async handle(context, { params }) {
      const { actor, persona, instanceSlug } = addressed(context, params);
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
    before: needs("members:manage"),
    async handle(context, { params }) {
      const { actor, persona, instanceSlug } = addressed(context, params);
      const { groups } = context.core;
      const user = userOf(params);
      const role = (params["role"] ?? "").trim();
      if (groups.catalogue.persona(persona)?.requireConsent === true) {
        // Joining needs the user's own word here; only the role of somebody who has joined may be changed.
        const held = await groups.memberships(user);
        const group = await asBrowser(context, groups.resolve({ persona, instanceSlug }));
        if (!held.some(({ groupId }) => groupId === group.id)) throw new AuthError("not_found");
      }
      const assigned = groups.assignAs(actor, { persona, instanceSlug }, user, role, context);
      await asBrowser(context, assigned, "target");
      return json(200, { ok: true, persona, instance_slug: instanceSlug, user_id: user.id, role });
    },
  }),
];
