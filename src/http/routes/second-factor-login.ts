import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { enrollmentMembers, factorMembers, tokenMembers } from "../login-reply.ts";
import { json, type Route, route } from "../route.ts";
import { enrollmentBody, tokenBody } from "../schemas.ts";

const text = Type.Optional(Type.String());

export const secondFactorLoginRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/2fa/challenge",
    group: "2fa",
    since: "0.73",
    auth: "none",
    enabled: (config) => config.mfa.mode !== "disabled",
    limit: "auth_2fa_verify",
    summary: "Send a code for one of the factors a login was offered, or send it again.",
    body: Type.Object({ user_id: text, challenge: text, factor_id: text }),
    replies: {
      200: Type.Object({
        requires_2fa: Type.Literal(true),
        method: Type.String(),
        verification_id: Type.String(),
        factor: Type.Object({}, { additionalProperties: true }),
      }),
    },
    errors: [
      "rate_limited",
      "invalid_request",
      "missing_fields",
      "invalid_challenge",
      "challenge_verify_failed",
      "2fa_send_failed",
      "email_delivery_failed",
      "sms_delivery_failed",
    ],
    failure: "2fa_send_failed",
    async handle(context, { body }) {
      const userId = (body.user_id ?? "").trim();
      const challenge = (body.challenge ?? "").trim();
      const factorId = (body.factor_id ?? "").trim();
      if (userId === "" || challenge === "" || factorId === "") throw new AuthError("missing_fields");
      await context.limit("auth_2fa_send", userId);
      const sent = await context.core.secondFactors.login.resend(userId, challenge, factorId, context);
      return json(200, {
        requires_2fa: true,
        method: sent.method,
        verification_id: sent.verificationId,
        factor: factorMembers(sent.factor),
      });
    },
  }),
  route({
    method: "POST",
    path: "/2fa/verify",
    group: "2fa",
    since: "0.73",
    auth: "none",
    enabled: (config) => config.mfa.mode !== "disabled",
    limit: "auth_2fa_verify",
    summary: "Complete a login with a second factor or a backup code.",
    body: Type.Object({
      user_id: text,
      code: text,
      challenge: text,
      factor_id: text,
      backup_code: Type.Optional(Type.Boolean()),
    }),
    replies: { 200: Type.Union([tokenBody, enrollmentBody]) },
    errors: [
      "rate_limited",
      "invalid_request",
      "missing_fields",
      "invalid_challenge",
      "challenge_verify_failed",
      "invalid_code",
      "user_banned",
      "session_creation_failed",
      "token_creation_failed",
    ],
    failure: "session_creation_failed",
    async handle(context, { body }) {
      const userId = (body.user_id ?? "").trim();
      const code = (body.code ?? "").trim();
      const challenge = (body.challenge ?? "").trim();
      if (userId === "" || code === "" || challenge === "") throw new AuthError("missing_fields");
      await context.limit("auth_2fa_verify", userId);
      const presented = {
        ...{ userId, code, challenge, factorId: (body.factor_id ?? "").trim() },
        backupCode: body.backup_code === true,
      };
      const outcome = await context.core.secondFactors.login
        .verify(presented, context)
        .catch((cause: unknown) => {
          throw isAuthError(cause, "token_issue_failed")
            ? new AuthError("token_creation_failed", { cause })
            : cause;
        });
      return json(200, outcome.kind === "granted" ? tokenMembers(outcome) : enrollmentMembers(outcome));
    },
  }),
];
