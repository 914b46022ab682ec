import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { isUuid, parseNewEmail } from "../../core/identifiers/index.ts";
import { json, type Reply, type Route, type RouteContext, route } from "../route.ts";
import { addressed, asBrowser, needs } from "./group-access.ts";

/** Whom an invitation to register is mailed to: nobody who has an account, though the answer is the same. */
interface Invitee {
  readonly email: string;
  readonly known: boolean;
}

interface Addition {
  readonly actor: string;
  readonly persona: string;
  readonly instanceSlug: string;
  readonly role: string;
}

/**
 * A stranger gets a link, which works once there is an account. Clients of the later generation expect an invitation to register that brings
 * the role with it, by mail.
 */
async function inviteStranger(context: RouteContext, invitee: Invitee, addition: Addition): Promise<Reply> {
  const { email } = invitee;
  await context.limitIp("auth_invite_create");
  await context.limit("auth_invite_create", email);
  const { actor, persona, instanceSlug, role } = addition;
  const made = context.core.inviteLinks.create({ persona, instanceSlug }, role, actor, 0, context);
  const link = await asBrowser(context, made);
  const invite =
    context.config.contract === "0.97" ? await inviteToRegister(context, invitee, addition) : link;
  return json(202, {
    ok: true,
    ...{ persona, instance_slug: instanceSlug, email, role },
    invited: true,
    group_invite: link,
    invite,
  });
}

async function inviteToRegister(context: RouteContext, { email, known }: Invitee, addition: Addition) {
  const { actor: invitedBy, persona, instanceSlug, role } = addition;
  const request = { email, invitedBy, persona, instanceSlug, role, ttlSeconds: 0, silent: known };
  const made = context.core.registrationInvites.create(request, context);
  const { id, code, url } = await asBrowser(context, made, "target");
  return { id, code, url };
}

/** Adding somebody to a group: at once, by an invitation, or by a link for somebody who has no account yet. */
export const groupAdditionRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/{persona}/{instance_slug}/members",
    group: "permission_groups",
    since: "0.73",
    auth: "required",
    limit: null,
    failure: "database_error",
    personas: ({ name }) => name !== "root",
    summary: "Add a member by account or e-mail address, or invite one.",
    body: Type.Object({
      user_id: Type.Optional(Type.String()),
      email: Type.Optional(Type.String()),
      role: Type.Optional(Type.String()),
      invite: Type.Optional(Type.Boolean()),
    }),
    replies: {
      200: Type.Object({}, { additionalProperties: true }),
      202: Type.Object({}, { additionalProperties: true }),
    },
    errors: [
      "not_authenticated",
      "invalid_request",
      "invalid_email",
      "forbidden",
      "rate_limited",
      "not_found",
      "cannot_remove_last_owner",
      "2fa_enrollment_required",
      "database_error",
    ],
    before: needs("members:manage"),
    async handle(context, { params, body }) {
      const { actor, persona, instanceSlug } = addressed(context, params);
      const { users, groups, membershipInvites } = context.core;
      const givenId = (body.user_id ?? "").trim().toLowerCase();
      const givenEmail = (body.email ?? "").trim();
      const role = (body.role ?? "").trim().toLowerCase();
      if ((givenId === "") === (givenEmail === "") || role === "") throw new AuthError("invalid_request");
      const addition = { actor, persona, instanceSlug, role };
      let userId = givenId;
      if (givenEmail !== "") {
        const email = parseNewEmail(givenEmail);
        const user = await users.byEmail(email);
        const known = user !== undefined && user.deletedAt === null;
        if (!known || context.config.registration.hideFromManagers)
          return inviteStranger(context, { email, known }, addition);
        userId = user.id;
      }
      if (!isUuid(userId)) throw new AuthError("not_found");
      const about = { persona, instance_slug: instanceSlug, user_id: userId, role };
      const address = { persona, instanceSlug };
      if (body.invite === true || groups.catalogue.persona(persona)?.requireConsent === true) {
        const made = membershipInvites.create(address, userId, role, actor, context);
        const id = await asBrowser(context, made);
        return json(202, { ok: true, ...about, invited: true, invite_id: id });
      }
      const subject = { id: userId, kind: "user" } as const;
      await asBrowser(context, groups.assignAs(actor, address, subject, role, context), "target");
      return json(200, { ok: true, ...about });
    },
  }),
];
