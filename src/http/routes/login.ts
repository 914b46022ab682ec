import { Type } from "typebox";
import { loginMembers } from "../login-reply.ts";
import { json, type Route, route } from "../route.ts";
import { loginBody } from "../schemas.ts";

export const loginRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/password/login",
    group: "auth",
    since: "0.73",
    auth: "none",
    limit: "auth_password_login",
    summary: "Sign in with a password; the identifier is an e-mail address, a phone number or a username.",
    body: Type.Object({
      email: Type.Optional(Type.String({ description: "Any identifier; wins over `login`." })),
      login: Type.Optional(Type.String({ description: "Any identifier." })),
      password: Type.String(),
    }),
    replies: { 200: loginBody },
    errors: [
      "invalid_request",
      "invalid_credentials",
      "password_reset_required",
      "user_banned",
      "rate_limited",
      "email_delivery_failed",
      "sms_delivery_failed",
      "email_verification_failed",
      "phone_verification_failed",
      "2fa_send_failed",
      "2fa_challenge_failed",
      "session_creation_failed",
      "token_issue_failed",
      "database_error",
      "server_busy",
    ],
    failure: "session_creation_failed",
    async handle(context, { body }) {
      const identifier = (body.email ?? "").trim() || (body.login ?? "").trim();
      const outcome = await context.core.passwordLogin.signIn(identifier, body.password, context);
      return json(200, loginMembers(outcome));
    },
  }),
];
