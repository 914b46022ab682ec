import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { seconds } from "../wire-time.ts";
import { addressed, asBrowser, needs } from "./group-access.ts";

const declared = ({ name }: { readonly name: string }): boolean => name !== "root";
const errors = ["not_authenticated", "invalid_request", "forbidden", "not_found", "database_error"] as const;

const linkRoutes = {
  group: "invites",
  since: "0.73",
  auth: "required",
  failure: "database_error",
  personas: declared,
} as const;

function onlyUsers(context: RouteContext): undefined {
  requireUser(context, "not_authenticated");
}

/** Clamped: nobody waits longer than the longest life of a link. */
function ttl(value: number | undefined): number {
  return value === undefined ? 0 : Math.min(Math.trunc(value), 30 * 86_400);
}

export const inviteRoutes: readonly Route[] = [
  route({
    ...linkRoutes,
    method: "POST",
    path: "/{persona}/{instance_slug}/invites/links",
    limit: { deferred: "auth_invite_create" },
    summary: "Make a link that gives whoever redeems it a role in the group, once.",
    body: Type.Object({
      role: Type.Optional(Type.String()),
      expires_in_seconds: Type.Optional(Type.Integer()),
    }),
    replies: { 201: Type.Object({ id: Type.String(), code: Type.String(), url: Type.String() }) },
    errors: ["rate_limited", ...errors],
    before: needs("members:manage", "auth_invite_create"),
    async handle(context, { params, body }) {
      const { actor, persona, instanceSlug } = addressed(context, params);
      const { inviteLinks } = context.core;
      const made = inviteLinks.create(
        { persona, instanceSlug },
        body.role ?? "",
        actor,
        ttl(body.expires_in_seconds),
        context,
      );
      return json(201, await asBrowser(context, made));
    },
  }),
  route({
    ...linkRoutes,
    method: "GET",
    path: "/{persona}/{instance_slug}/invites/links",
    limit: null,
    summary: "List the group's invite links, newest first; never their codes.",
    replies: {
      200: Type.Object({
        object: Type.Literal("list"),
        persona: Type.String(),
        instance_slug: Type.String(),
        data: Type.Array(
          Type.Object(
            { id: Type.String(), role: Type.String(), invited_by: Type.String(), uses: Type.Integer() },
            { additionalProperties: true },
          ),
        ),
      }),
    },
    errors,
    before: needs("members:read"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const links = await asBrowser(context, context.core.inviteLinks.list({ persona, instanceSlug }));
      return json(200, {
        object: "list",
        ...{ persona, instance_slug: instanceSlug },
        data: links.map((link) => ({
          ...{ id: link.id, role: link.role, invited_by: link.invitedBy },
          uses: link.redeemedAt === null ? 0 : 1,
          created_at: link.createdAt.toISOString(),
          ...(link.redeemedAt === null ? {} : { redeemed_at: link.redeemedAt.toISOString() }),
          ...(link.expiresAt === null ? {} : { expires_at: link.expiresAt.toISOString() }),
          ...(link.revokedAt === null ? {} : { revoked_at: link.revokedAt.toISOString() }),
        })),
      });
    },
  }),
  route({
    ...linkRoutes,
    method: "DELETE",
    path: "/{persona}/{instance_slug}/invites/links/{link}",
    limit: null,
    summary: "Revoke an invite link.",
    replies: { 200: Type.Object({ ok: Type.Literal(true), id: Type.String() }) },
    errors,
    before: needs("members:manage"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const id = (params["link"] ?? "").trim();
      await asBrowser(context, context.core.inviteLinks.revoke({ persona, instanceSlug }, id, context));
      return json(200, { ok: true, id });
    },
  }),
  route({
    method: "POST",
    path: "/invites/redeem",
    group: "invites",
    since: "0.73",
    auth: "required",
    limit: "auth_invite_redeem",
    enabled: (config) => config.personas.some(declared),
    before: onlyUsers,
    failure: "database_error",
    summary: "Redeem an invite link: join its group.",
    body: Type.Object({ code: Type.Optional(Type.String()) }),
    replies: {
      200: Type.Object({
        ok: Type.Literal(true),
        persona: Type.String(),
        instance_slug: Type.String(),
        role: Type.String(),
      }),
    },
    errors: ["rate_limited", ...errors, "2fa_enrollment_required"],
    async handle(context, { body }) {
      const { userId } = requireUser(context, "not_authenticated");
      const code = (body.code ?? "").trim();
      if (code === "") throw new AuthError("invalid_request");
      await context.limit("auth_invite_redeem", userId);
      const joined = await asBrowser(context, context.core.inviteLinks.redeem(code, userId, context));
      return json(200, {
        ok: true,
        persona: joined.persona,
        instance_slug: joined.instanceSlug,
        role: joined.role,
      });
    },
  }),
];

const ownInvites = {
  group: "invites",
  since: "0.73",
  auth: "required",
  limit: null,
  before: onlyUsers,
  failure: "database_error",
} as const;

function answered(path: string, accepted: boolean): Route {
  return route({
    ...ownInvites,
    method: "POST",
    path,
    summary: accepted ? "Accept an invitation into a group." : "Decline an invitation into a group.",
    body: Type.Object({}),
    bodyMode: "lenient",
    replies: {
      200: Type.Object({ ok: Type.Literal(true), invite_id: Type.String(), accepted: Type.Boolean() }),
    },
    errors: accepted
      ? [...errors, "2fa_enrollment_required"]
      : (["not_authenticated", "forbidden", "not_found", "database_error"] as const),
    async handle(context, { params }) {
      const { userId } = requireUser(context, "not_authenticated");
      const id = (params["id"] ?? "").trim();
      const { membershipInvites } = context.core;
      const work = accepted
        ? membershipInvites.accept(id, userId, context)
        : membershipInvites.decline(id, userId, context);
      await asBrowser(context, work);
      return json(200, { ok: true, invite_id: id, accepted });
    },
  });
}

export const ownInviteRoutes: readonly Route[] = [
  route({
    ...ownInvites,
    method: "GET",
    path: "/me/group-invites",
    summary: "The invitations into groups that wait for the signed-in user.",
    replies: {
      200: Type.Object({
        object: Type.Literal("list"),
        data: Type.Array(
          Type.Object({
            id: Type.String(),
            persona: Type.String(),
            instance_slug: Type.String(),
            role: Type.String(),
            invited_by: Type.String(),
            expires_at: Type.String(),
          }),
        ),
      }),
    },
    errors: ["not_authenticated", "database_error"],
    async handle(context) {
      const { userId } = requireUser(context, "not_authenticated");
      const pending = await context.core.membershipInvites.pending(userId);
      return json(200, {
        object: "list",
        data: pending.map((invite) => ({
          id: invite.id,
          persona: invite.persona,
          instance_slug: invite.instanceSlug,
          role: invite.role,
          invited_by: invite.invitedBy,
          expires_at: seconds(invite.expiresAt),
        })),
      });
    },
  }),
  answered("/me/group-invites/{id}/accept", true),
  answered("/me/group-invites/{id}/decline", false),
];
