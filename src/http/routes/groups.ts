import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { freshAuthMembers } from "../../core/step-up/sensitive.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, route } from "../route.ts";
import { freshAuthFields } from "../schemas.ts";
import { addressed, asBrowser, needs } from "./group-access.ts";

const shared = {
  group: "permission_groups",
  since: "0.97",
  auth: "required",
  failure: "database_error",
} as const;
const groupBody = Type.Object({
  ok: Type.Literal(true),
  group_id: Type.String(),
  persona: Type.String(),
  instance_slug: Type.String(),
  display_name: Type.Optional(Type.String()),
  created: Type.Optional(Type.Boolean()),
});

/** Groups themselves: made by whoever will own them, shown, renamed. */
export const groupRoutes: readonly Route[] = [
  route({
    ...shared,
    method: "POST",
    path: "/{persona}",
    limit: { deferred: "group_create" },
    before: (context) => void requireUser(context, "not_authenticated"),
    personas: ({ name, selfServiceCreation }) => name !== "root" && selfServiceCreation,
    summary: "Make a group; the caller owns it.",
    body: Type.Object({
      slug: Type.Optional(Type.String()),
      display_name: Type.Optional(Type.String()),
    }),
    replies: { 200: groupBody, 201: groupBody },
    errors: [
      "rate_limited",
      "not_authenticated",
      "invalid_request",
      "group_slug_invalid",
      "group_slug_reserved",
      "group_slug_taken",
      "2fa_enrollment_required",
      "database_error",
    ],
    async handle(context, { params, body }) {
      const { userId } = requireUser(context, "not_authenticated");
      await context.limitIp("group_create");
      await context.limit("group_create", userId);
      const { groups } = context.core;
      const persona = params["persona"] ?? "";
      const slug = (body.slug ?? "").trim().toLowerCase();
      if (slug === "") throw new AuthError("invalid_request");
      await groups.selfService.assertMayName(userId, persona, slug);
      const reply = (status: number, id: string, created: boolean) =>
        json(status, { ok: true, group_id: id, persona, instance_slug: slug, created });
      try {
        const made = groups.create(
          {
            ...{ persona, instanceSlug: slug, displayName: body.display_name ?? "" },
            ...{
              parentPersona: "",
              parentInstanceSlug: "",
              ownerSubjectId: userId,
              ownerSubjectKind: "user",
            },
          },
          context,
        );
        return reply(201, (await asBrowser(context, made)).id, true);
      } catch (error) {
        if (!isAuthError(error, "group_slug_taken")) throw error;
        // Repeated by somebody who is in it already: the group is there as asked.
        const memberships = await groups.memberships({ id: userId, kind: "user" });
        const own = memberships.find((one) => one.persona === persona && one.instanceSlug === slug);
        if (own === undefined) throw error;
        return reply(200, own.groupId, false);
      }
    },
  }),
  route({
    ...shared,
    method: "GET",
    path: "/{persona}/{instance_slug}",
    limit: null,
    personas: ({ name }) => name !== "root",
    summary: "A group's present slug and name.",
    replies: { 200: groupBody },
    errors: ["not_authenticated", "invalid_request", "forbidden", "not_found", "database_error"],
    before: needs("settings:read"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const group = await asBrowser(context, context.core.groups.resolve({ persona, instanceSlug }));
      return json(200, {
        ok: true,
        ...{ group_id: group.id, persona, instance_slug: group.instanceSlug ?? "" },
        display_name: group.displayName,
      });
    },
  }),
  route({
    ...shared,
    method: "PATCH",
    path: "/{persona}/{instance_slug}",
    limit: { deferred: "group_settings" },
    personas: ({ name }) => name !== "root",
    summary: "Change a group's slug or name; an old slug leads to the group for ever.",
    body: Type.Object({
      slug: Type.Optional(Type.String()),
      display_name: Type.Optional(Type.String()),
    }),
    replies: { 200: Type.Object({}, { additionalProperties: true }) },
    errors: [
      "rate_limited",
      "not_authenticated",
      "invalid_request",
      "forbidden",
      "not_found",
      "group_slug_invalid",
      "group_slug_reserved",
      "group_slug_taken",
      "group_slug_application_managed",
      "database_error",
    ],
    before: needs("settings:manage"),
    async handle(context, { params, body }) {
      const { actor, persona, instanceSlug } = addressed(context, params);
      const { slug, display_name: displayName } = body;
      if (slug === undefined && displayName === undefined) throw new AuthError("invalid_request");
      if (slug !== undefined) {
        await context.limitIp("group_settings");
        await context.limit("group_settings", actor);
        if (slug.trim() === "") throw new AuthError("invalid_request");
      }
      const { groups } = context.core;
      const wanted = slug?.trim().toLowerCase();
      // Else a name that cannot be had by creating a group could be had by renaming one.
      if (wanted !== undefined && wanted !== instanceSlug)
        await groups.selfService.assertMayName(actor, persona, wanted);
      const change = { slug, displayName };
      const update = groups.settings.update({ persona, instanceSlug }, change, context);
      const group = await asBrowser(context, update);
      return json(200, {
        ok: true,
        ...{ persona, instance_slug: group.instanceSlug ?? "" },
        ...(displayName === undefined ? {} : { display_name: group.displayName }),
      });
    },
  }),
  route({
    ...shared,
    method: "DELETE",
    path: "/{persona}/{instance_slug}",
    limit: "group_settings",
    personas: ({ name }) => name !== "root",
    summary:
      "Delete a group for good, with its roles, invites, keys and applications and the groups below it. Its slugs stay taken unless released.",
    body: Type.Object({
      password: Type.Optional(Type.String()),
      release_slug: Type.Optional(Type.Boolean()),
    }),
    bodyMode: "optional",
    replies: {
      200: Type.Object({
        ok: Type.Literal(true),
        persona: Type.String(),
        instance_slug: Type.String(),
        ...freshAuthFields,
      }),
    },
    errors: [
      "not_authenticated",
      "invalid_request",
      "forbidden",
      "not_found",
      "rate_limited",
      "step_up_required",
      "invalid_password",
      "password_reset_required",
      "step_up_failed",
      "token_issue_failed",
      "database_error",
    ],
    before: needs("group:delete"),
    async handle(context, { params, body }) {
      const { persona, instanceSlug } = addressed(context, params);
      const user = requireUser(context, "not_authenticated");
      const fresh = await context.core.sensitiveGate.require(user, body.password, context);
      const options = { releaseSlugs: body.release_slug === true };
      const { deletion } = context.core.groups;
      await asBrowser(context, deletion.remove({ persona, instanceSlug }, options, context));
      return json(200, { ok: true, persona, instance_slug: instanceSlug, ...freshAuthMembers(fresh) });
    },
  }),
];
