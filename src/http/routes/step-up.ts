import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { freshAuthMembers } from "../../core/step-up/sensitive.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { freshAuthFields } from "../schemas.ts";

const text = Type.Optional(Type.String());

function onlySessions(context: RouteContext): undefined {
  const user = requireUser(context, "not_authenticated");
  if (user.sessionId === undefined) throw new AuthError("not_authenticated");
}

export const stepUpRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/step-up/password",
    group: "step-up",
    since: "0.73",
    auth: "required",
    limit: "auth_step_up_password",
    before: onlySessions,
    summary: "Make the session fresh with the account's password.",
    body: Type.Object({ password: text }),
    replies: { 200: Type.Object({ ok: Type.Literal(true), ...freshAuthFields }) },
    errors: [
      "rate_limited",
      "not_authenticated",
      "invalid_request",
      "step_up_required",
      "invalid_password",
      "password_reset_required",
      "unauthorized",
      "step_up_failed",
      "token_issue_failed",
      "server_busy",
    ],
    failure: "step_up_failed",
    async handle(context, { body }) {
      const user = requireUser(context, "not_authenticated");
      if ((body.password ?? "") === "") throw new AuthError("invalid_request");
      const fresh = await context.core.secondFactors.stepUp.password(user, body.password ?? "", context);
      return json(200, { ok: true, ...freshAuthMembers(fresh) });
    },
  }),
  route({
    method: "POST",
    path: "/step-up/2fa",
    group: "step-up",
    since: "0.73",
    auth: "required",
    enabled: (config) => config.mfa.mode !== "disabled",
    limit: { deferred: "auth_2fa_verify" },
    before: onlySessions,
    summary: "Make the session fresh with a second factor; without a code, one is sent.",
    body: Type.Object({
      code: text,
      method: text,
      factor_id: text,
      backup_code: Type.Optional(Type.Boolean()),
    }),
    replies: {
      200: Type.Union([
        Type.Object({ ok: Type.Literal(true), ...freshAuthFields }),
        Type.Object({
          requires_2fa: Type.Literal(true),
          method: Type.String(),
          verification_id: Type.String(),
        }),
      ]),
    },
    errors: [
      "rate_limited",
      "not_authenticated",
      "invalid_request",
      "invalid_method",
      "invalid_code",
      "2fa_send_failed",
      "email_delivery_failed",
      "sms_delivery_failed",
      "unauthorized",
      "step_up_failed",
      "token_issue_failed",
    ],
    failure: "step_up_failed",
    async handle(context, { body }) {
      const user = requireUser(context, "not_authenticated");
      // Factors are told apart by their method here: there is one of each.
      if ((body.factor_id ?? "").trim() !== "") throw new AuthError("invalid_request");
      const outcome = await context.core.secondFactors.stepUp.secondFactor(
        user,
        {
          code: (body.code ?? "").trim(),
          method: (body.method ?? "").trim().toLowerCase(),
          backupCode: body.backup_code === true,
        },
        context,
      );
      if (outcome.kind === "fresh") return json(200, { ok: true, ...freshAuthMembers(outcome.fresh) });
      return json(200, {
        requires_2fa: true,
        method: outcome.method,
        verification_id: outcome.verificationId,
      });
    },
  }),
];
