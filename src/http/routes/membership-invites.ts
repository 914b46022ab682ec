import { Type } from "typebox";
import { json, type Route, route } from "../route.ts";
import { seconds } from "../wire-time.ts";
import { addressed, asBrowser, needs } from "./group-access.ts";

const shared = {
  group: "invites",
  since: "0.73",
  auth: "required",
  limit: null,
  failure: "database_error",
  personas: ({ name }: { readonly name: string }) => name !== "root",
} as const;
const errors = ["not_authenticated", "invalid_request", "forbidden", "not_found", "database_error"] as const;

/** The offers of membership a group has made and nobody has answered. */
export const membershipInviteRoutes: readonly Route[] = [
  route({
    ...shared,
    method: "GET",
    path: "/{persona}/{instance_slug}/invites/memberships",
    summary: "List the group's unanswered membership invites, expired ones included, newest first.",
    replies: {
      200: Type.Object({
        object: Type.Literal("list"),
        persona: Type.String(),
        instance_slug: Type.String(),
        data: Type.Array(
          Type.Object({
            id: Type.String(),
            user_id: Type.String(),
            role: Type.String(),
            invited_by: Type.String(),
            created_at: Type.String(),
            expires_at: Type.String(),
          }),
        ),
      }),
    },
    errors,
    before: needs("members:read"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const offers = context.core.membershipInvites.list({ persona, instanceSlug });
      return json(200, {
        object: "list",
        ...{ persona, instance_slug: instanceSlug },
        data: (await asBrowser(context, offers)).map((offer) => ({
          ...{ id: offer.id, user_id: offer.userId, role: offer.role, invited_by: offer.invitedBy },
          ...{ created_at: seconds(offer.createdAt), expires_at: seconds(offer.expiresAt) },
        })),
      });
    },
  }),
  route({
    ...shared,
    method: "DELETE",
    path: "/{persona}/{instance_slug}/invites/memberships/{invite}",
    summary: "Take a membership invite back; whoever it is for can no longer accept it.",
    replies: { 200: Type.Object({ ok: Type.Literal(true), id: Type.String() }) },
    errors,
    before: needs("members:manage"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const id = (params["invite"] ?? "").trim();
      const revoked = context.core.membershipInvites.revoke({ persona, instanceSlug }, id, context);
      await asBrowser(context, revoked);
      return json(200, { ok: true, id });
    },
  }),
];
