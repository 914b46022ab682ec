import { Type } from "typebox";
import { freshAuthMembers } from "../../core/step-up/sensitive.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, route } from "../route.ts";
import { freshAuthFields } from "../schemas.ts";

export const passwordChangeRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/user/password",
    group: "password",
    since: "0.73",
    auth: "required",
    limit: "auth_user_password_change",
    before(context) {
      requireUser(context, "not_authenticated");
      return undefined;
    },
    summary:
      "Change the account's password; all other sessions end. Needs a fresh access token or the current password.",
    body: Type.Object({
      current_password: Type.Optional(Type.String()),
      new_password: Type.Optional(Type.String()),
    }),
    replies: { 200: Type.Object({ ok: Type.Literal(true), ...freshAuthFields }) },
    errors: [
      "rate_limited",
      "not_authenticated",
      "invalid_request",
      "password_too_short",
      "password_too_common",
      "password_breached",
      "step_up_required",
      "invalid_password",
      "password_reset_required",
      "unauthorized",
      "step_up_failed",
      "token_issue_failed",
      "password_change_failed",
      "server_busy",
    ],
    failure: "password_change_failed",
    async handle(context, { body }) {
      const user = requireUser(context, "not_authenticated");
      const current = body.current_password ?? "";
      const fresh = await context.core.ownPassword.change(user, current, body.new_password ?? "", context);
      return json(200, { ok: true, ...freshAuthMembers(fresh) });
    },
  }),
];
