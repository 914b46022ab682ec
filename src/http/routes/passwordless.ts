import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { loginMembers } from "../login-reply.ts";
import { json, type Route, route } from "../route.ts";
import { loginBody, okBody } from "../schemas.ts";

const text = Type.Optional(Type.String());
const identifiers = { identifier: text, email: text, phone_number: text };

function identifierOf(body: { identifier?: string; email?: string; phone_number?: string }): string {
  return [body.identifier, body.email, body.phone_number]
    .map((value) => (value ?? "").trim())
    .reduce((found, value) => found || value, "");
}

export const passwordlessRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/passwordless/start",
    group: "passwordless",
    since: "0.73",
    auth: "none",
    enabled: (config) => config.passwordless.enabled,
    limit: "auth_passwordless_start",
    summary: "Ask for a sign-in code and link. The answer is the same whoever the address belongs to.",
    body: Type.Object({
      ...identifiers,
      mode: text,
      return_to: text,
      preferred_language: text,
      account_invite_token: text,
    }),
    replies: { 202: okBody },
    errors: [
      "rate_limited",
      "invalid_request",
      "invalid_email",
      "invalid_phone_number",
      "invalid_preferred_language",
      "registration_disabled",
      "email_verification_unavailable",
      "phone_verification_unavailable",
      "database_error",
    ],
    failure: "database_error",
    async handle(context, { body }) {
      const identifier = identifierOf(body);
      if (identifier === "") throw new AuthError("invalid_request");
      await context.limit("auth_passwordless_start", identifier);
      const { passwordless } = context.core;
      const request = passwordless.parse({
        identifier,
        mode: body.mode ?? "",
        returnTo: body.return_to ?? "",
        preferredLanguage: body.preferred_language ?? "",
        inviteToken: body.account_invite_token ?? "",
      });
      await passwordless.request(request, context);
      return json(202, { ok: true });
    },
  }),
  route({
    method: "POST",
    path: "/passwordless/confirm",
    group: "passwordless",
    since: "0.73",
    auth: "none",
    enabled: (config) => config.passwordless.enabled,
    limit: "auth_passwordless_confirm",
    summary: "Sign in with the code that was sent to a contact, or with the token of its link.",
    body: Type.Object({ ...identifiers, code: text, token: text }),
    replies: { 200: loginBody },
    errors: [
      "rate_limited",
      "invalid_request",
      "invalid_email",
      "invalid_phone_number",
      "invalid_or_expired_code",
      "user_banned",
      "2fa_send_failed",
      "email_delivery_failed",
      "sms_delivery_failed",
      "access_token_create_failed",
    ],
    failure: "access_token_create_failed",
    async handle(context, { body }) {
      const { passwordless } = context.core;
      const token = (body.token ?? "").trim();
      const code = (body.code ?? "").trim();
      const identifier = identifierOf(body);
      if (token === "" && (identifier === "" || code === "")) throw new AuthError("invalid_request");
      if (identifier !== "") await context.limit("auth_passwordless_confirm", identifier);
      const proven = await passwordless.confirm({ identifier, code, token }, context);
      try {
        const outcome = await passwordless.signIn(proven, context);
        return json(200, {
          ...loginMembers(outcome),
          // Also where a second factor is still to come: the page has to know where to go on from there.
          ...(proven.returnTo === "" ? {} : { return_to: proven.returnTo }),
        });
      } catch (error) {
        if (!isAuthError(error, "internal_error") && !isAuthError(error, "token_issue_failed")) throw error;
        throw new AuthError("access_token_create_failed", { cause: error });
      }
    },
  }),
];
