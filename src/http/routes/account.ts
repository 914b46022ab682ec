import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { freshAuthMembers } from "../../core/step-up/sensitive.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { freshAuthFields } from "../schemas.ts";

const gateBody = Type.Object({ password: Type.Optional(Type.String()) });
const gateErrors = [
  "rate_limited",
  "unauthorized",
  "invalid_request",
  "step_up_required",
  "invalid_password",
  "password_reset_required",
  "step_up_failed",
  "token_issue_failed",
] as const;

function onlyUsers(context: RouteContext): undefined {
  requireUser(context);
}

export const accountRoutes: readonly Route[] = [
  route({
    method: "DELETE",
    path: "/user",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_user_delete",
    before: onlyUsers,
    summary:
      "Delete the account. Everything ends at once; an administrator can restore it until it is purged.",
    body: gateBody,
    bodyMode: "optional",
    replies: { 200: Type.Object({ ok: Type.Literal(true) }) },
    errors: [...gateErrors, "cannot_remove_last_owner", "failed_to_delete"],
    failure: "failed_to_delete",
    async handle(context, { body }) {
      const user = requireUser(context);
      const { core } = context;
      await core.sensitiveGate.require(user, body.password, context);
      await core.users.softDelete(user.userId, context, { ownerGuard: "cannot_remove_last_owner" });
      await core.notices.tell("notice_account_deleted", user.userId, context);
      return json(200, { ok: true });
    },
  }),
  route({
    method: "DELETE",
    path: "/user/providers/{provider}",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_user_unlink_provider",
    before: onlyUsers,
    summary: "Remove the link to an identity provider or wallet, unless it is the last way to sign in.",
    body: gateBody,
    bodyMode: "optional",
    replies: { 200: Type.Object({ ok: Type.Literal(true), ...freshAuthFields }) },
    errors: [...gateErrors, "invalid_provider", "cannot_unlink_last_login_method", "failed_to_unlink"],
    failure: "failed_to_unlink",
    async handle(context, { body, params }) {
      const user = requireUser(context);
      const { core } = context;
      const provider = (params["provider"] ?? "").trim().toLowerCase();
      if (provider === "") throw new AuthError("invalid_provider");
      const fresh = await core.sensitiveGate.require(user, body.password, context);
      const removed = await core.identities.unlink(user.userId, provider, context, { keepLoginMethod: true });
      if (removed.length > 0) await core.notices.tell("notice_provider_unlinked", user.userId, context);
      return json(200, { ok: true, ...freshAuthMembers(fresh) });
    },
  }),
];
