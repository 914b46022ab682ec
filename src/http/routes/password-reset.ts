import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { isStorable, normalizeEmail, parseNewPhone } from "../../core/identifiers/index.ts";
import { landingRoute } from "../landing.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { okBody } from "../schemas.ts";

const requestedBody = Type.Object({ ok: Type.Literal(true), message: Type.Optional(Type.String()) });

const emailRequested = {
  ok: true,
  message: "If this email is registered, password reset instructions will be sent.",
};
const phoneRequested = {
  ok: true,
  message: "If this phone number is registered, password reset instructions will be sent via SMS.",
};

function unavailable(context: RouteContext, code: "email_password_reset_unavailable" | "sms_unavailable") {
  return new AuthError(code, context.config.strictStatus ? { status: 503 } : {});
}

const resetErrors = [
  "rate_limited",
  "invalid_request",
  "password_too_short",
  "password_too_common",
  "password_breached",
  "invalid_or_expired_token",
  "server_busy",
] as const;

/** Both routes take tokens of both channels. */
function confirmRoute(channel: "email" | "phone"): Route {
  return route({
    method: "POST",
    path: `/${channel}/password/reset/confirm`,
    group: "password",
    since: "0.73",
    auth: "none",
    limit: "auth_pwd_reset_confirm",
    summary: "Set a new password with the token of a reset link; all sessions of the account end.",
    body: Type.Object({
      token: Type.Optional(Type.String()),
      new_password: Type.Optional(Type.String()),
    }),
    replies: {
      200:
        channel === "email"
          ? okBody
          : Type.Object({ ok: Type.Literal(true), user_id: Type.String(), message: Type.String() }),
    },
    errors: resetErrors,
    async handle(context, { body }) {
      const token = (body.token ?? "").trim();
      const password = body.new_password ?? "";
      if (token === "" || (password === "" && channel === "email")) throw new AuthError("invalid_request");
      const userId = await context.core.passwordReset.confirm(token, password, context);
      if (channel === "email") return json(200, { ok: true });
      const message = "Password reset successfully. You can now log in with your new password.";
      return json(200, { ok: true, user_id: userId, message });
    },
  });
}

export const passwordResetRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/email/password/reset/request",
    group: "password",
    since: "0.73",
    auth: "none",
    limit: "auth_pwd_reset_request",
    summary:
      "Mail a reset link, if the address belongs to an account; the answer is the same for every address.",
    body: Type.Object({ email: Type.Optional(Type.String()) }),
    bodyMode: "lenient",
    replies: { 202: requestedBody },
    errors: ["rate_limited", "email_password_reset_unavailable", "password_reset_request_failed"],
    failure: "password_reset_request_failed",
    async handle(context, { body }) {
      const address = normalizeEmail(body.email ?? "");
      if (address === "") return json(202, { ok: true });
      await context.limit("auth_pwd_reset_request", address);
      const { core } = context;
      if (!core.messages.available("email")) throw unavailable(context, "email_password_reset_unavailable");
      if (isStorable(address)) await core.passwordReset.request("email", address, context);
      return json(202, emailRequested);
    },
  }),
  route({
    method: "POST",
    path: "/phone/password/reset/request",
    group: "password",
    since: "0.73",
    auth: "none",
    limit: { deferred: "auth_pwd_reset_request" },
    async before(context) {
      if (!context.core.messages.available("sms")) throw unavailable(context, "sms_unavailable");
      await context.limitIp("auth_pwd_reset_request");
      return undefined;
    },
    summary:
      "Send a reset link by SMS, if the number belongs to an account; the answer is the same for every number.",
    body: Type.Object({ phone_number: Type.Optional(Type.String()) }),
    replies: { 202: requestedBody },
    errors: [
      "sms_unavailable",
      "rate_limited",
      "invalid_request",
      "invalid_phone_number",
      "password_reset_request_failed",
    ],
    failure: "password_reset_request_failed",
    async handle(context, { body }) {
      const address = parseNewPhone(body.phone_number ?? "");
      await context.limit("auth_pwd_reset_request", address);
      await context.core.passwordReset.request("phone", address, context);
      return json(202, phoneRequested);
    },
  }),
  landingRoute("email", "reset"),
  landingRoute("phone", "reset"),
  confirmRoute("email"),
  confirmRoute("phone"),
];
