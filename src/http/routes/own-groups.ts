import { Type } from "typebox";
import { requireUser } from "../principals.ts";
import { json, type Route, route } from "../route.ts";
import { asBrowser } from "./group-access.ts";

const shared = {
  group: "account",
  since: "0.73",
  auth: "required",
  limit: null,
  failure: "database_error",
} as const;

/** What the signed-in user is a member of, and may do there. */
export const ownGroupRoutes: readonly Route[] = [
  route({
    ...shared,
    method: "GET",
    path: "/me/groups",
    summary: "List the groups the account has a role in.",
    enabled: (config) => config.personas.some(({ name }) => name !== "root"),
    replies: {
      200: Type.Object({
        object: Type.Literal("list"),
        data: Type.Array(
          Type.Object({
            group_id: Type.String(),
            persona: Type.String(),
            instance_slug: Type.String(),
            role: Type.String(),
          }),
        ),
      }),
    },
    errors: ["not_authenticated", "database_error"],
    async handle(context) {
      const { userId } = requireUser(context, "not_authenticated");
      const memberships = await context.core.groups.memberships({ id: userId, kind: "user" });
      return json(200, {
        object: "list",
        data: memberships.map(({ groupId, persona, instanceSlug, role }) => ({
          group_id: groupId,
          persona,
          instance_slug: instanceSlug,
          role,
        })),
      });
    },
  }),
  route({
    ...shared,
    method: "GET",
    path: "/me/permissions",
    summary: "List the account's effective grants in a group, globs verbatim.",
    query: Type.Object({ persona: Type.Optional(Type.String()), instance: Type.Optional(Type.String()) }),
    replies: {
      200: Type.Object({
        object: Type.Literal("permission_set"),
        persona: Type.String(),
        instance_slug: Type.String(),
        permissions: Type.Array(Type.String()),
      }),
    },
    errors: ["not_authenticated", "database_error"],
    async handle(context, { query }) {
      const { userId } = requireUser(context, "not_authenticated");
      const persona = query.persona?.trim() || "root";
      const instanceSlug = query.instance?.trim() ?? "";
      const permissions = await context.core.groups.permissions(
        { id: userId, kind: "user" },
        { persona, instanceSlug },
      );
      return json(200, { object: "permission_set", persona, instance_slug: instanceSlug, permissions });
    },
  }),
  route({
    ...shared,
    method: "DELETE",
    path: "/me/groups/{persona}/{instance_slug}",
    summary: "Give up the account's own roles in a group; also a success when there are none.",
    replies: {
      200: Type.Object({
        ok: Type.Literal(true),
        persona: Type.String(),
        instance_slug: Type.String(),
        left: Type.Literal(true),
      }),
    },
    errors: ["not_authenticated", "not_found", "cannot_remove_last_owner", "database_error"],
    async handle(context, { params }) {
      const { userId } = requireUser(context, "not_authenticated");
      const persona = (params["persona"] ?? "").trim();
      const instanceSlug = (params["instance_slug"] ?? "").trim();
      await asBrowser(context, context.core.groups.leave(userId, { persona, instanceSlug }, context));
      return json(200, { ok: true, persona, instance_slug: instanceSlug, left: true });
    },
  }),
];
