import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import type { SetupOutcome } from "../../core/mfa/index.ts";
import type { MfaState } from "../../core/mfa/types.ts";
import { requireUser } from "../principals.ts";
import { json, type Reply, type Route, type RouteContext, route } from "../route.ts";
import { seconds } from "../wire-time.ts";

const text = Type.Optional(Type.String());
const factorBody = Type.Object({
  id: Type.String(),
  method: Type.String(),
  is_default: Type.Optional(Type.Literal(true)),
  phone_number: Type.Optional(Type.String()),
});

function members(factor: MfaState["factors"][number]): Record<string, unknown> {
  return {
    id: factor.id,
    method: factor.method,
    ...(factor.isDefault ? { is_default: true } : {}),
    ...(factor.phoneNumber === null ? {} : { phone_number: factor.phoneNumber }),
  };
}

/** Routes of second factors exist only where the deployment has them. */
const enabled: NonNullable<Route["enabled"]> = (config) => config.mfa.mode !== "disabled";

function onlyUsers(context: RouteContext): undefined {
  requireUser(context);
}

function setupReply(outcome: SetupOutcome): Reply {
  switch (outcome.kind) {
    case "code_sent":
      return json(200, { ok: true, method: outcome.method });
    case "secret":
      return json(200, { method: "totp", secret: outcome.secret, otpauth_uri: outcome.uri });
    case "enrolled":
      return json(200, {
        enabled: true,
        method: outcome.method,
        ...(outcome.backupCodes === undefined ? {} : { backup_codes: outcome.backupCodes }),
      });
  }
}

/** The factor named by the query, else by an optional body; a broken body names none. */
const factorQuery = Type.Object({ factor_id: text });

export const secondFactorRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/user/2fa",
    group: "2fa",
    since: "0.73",
    auth: "required-or-enrollment",
    enabled,
    limit: "auth_user_me",
    summary: "The account's second factors and the methods that can be enrolled.",
    replies: {
      200: Type.Object(
        {
          enabled: Type.Boolean(),
          method: Type.String(),
          factors: Type.Optional(Type.Array(factorBody)),
          allowed_methods: Type.Optional(Type.Array(Type.String())),
          backup_codes_remaining: Type.Optional(Type.Integer()),
        },
        { additionalProperties: true },
      ),
    },
    errors: ["rate_limited", "unauthorized", "database_error"],
    failure: "database_error",
    async handle(context) {
      const { userId } = requireUser(context);
      const state = await context.core.mfaStates.of(userId);
      const preferred = state.factors.find(({ isDefault }) => isDefault) ?? state.factors[0];
      const factors = state.factors.map(members);
      const allowed = context.core.mfaStates.availableMethods();
      return json(200, {
        enabled: state.enabled,
        // The contract names a method even for somebody who never had one.
        method: preferred?.method ?? (state.everEnrolled ? "" : "email"),
        ...(preferred?.method === "sms" ? { phone_number: preferred.phoneNumber } : {}),
        ...(preferred === undefined
          ? {}
          : { default_factor: members(preferred), factors, available_factors: factors }),
        ...(allowed.length === 0 ? {} : { allowed_methods: allowed }),
        ...(state.backupCodes === 0 ? {} : { backup_codes_remaining: state.backupCodes }),
      });
    },
  }),
  route({
    method: "POST",
    path: "/user/2fa",
    group: "2fa",
    since: "0.73",
    auth: "required-or-enrollment",
    enabled,
    limit: "auth_2fa_enable",
    before: onlyUsers,
    summary: "Start or complete the enrolment of a second factor, or choose the default one.",
    body: Type.Object({
      method: text,
      code: text,
      phone: text,
      phone_number: text,
      default: Type.Optional(Type.Boolean()),
      factor_id: text,
    }),
    replies: { 200: Type.Object({}, { additionalProperties: true }) },
    errors: [
      "rate_limited",
      "unauthorized",
      "forbidden",
      "step_up_required",
      "invalid_request",
      "invalid_method",
      "phone_and_code_required",
      "phone_number_must_be_e164",
      "phone_2fa_unavailable",
      "invalid_code",
      "not_found",
      "send_code_failed",
      "email_delivery_failed",
      "sms_delivery_failed",
      "enable_2fa_failed",
    ],
    failure: "enable_2fa_failed",
    async handle(context, { body }) {
      const user = requireUser(context);
      const { setup, enrolment } = context.core.secondFactors;
      const method = (body.method ?? "").trim().toLowerCase();
      if (method === "" && body.default === true && (body.factor_id ?? "").trim() !== "") {
        await setup.admit(user);
        await enrolment.setDefault(user.userId, (body.factor_id ?? "").trim(), context);
        return json(200, { ok: true });
      }
      const outcome = await setup.enrol(
        user,
        {
          method,
          code: (body.code ?? "").trim(),
          phone: (body.phone_number ?? body.phone ?? "").trim(),
          makeDefault: body.default === true,
        },
        context,
      );
      return setupReply(outcome);
    },
  }),
  route({
    method: "DELETE",
    path: "/user/2fa",
    group: "2fa",
    since: "0.73",
    auth: "required-or-enrollment",
    enabled,
    limit: "auth_2fa_disable",
    before: onlyUsers,
    summary: "Remove one second factor, or all; roles that demand one go with the last.",
    query: factorQuery,
    body: Type.Object({ factor_id: text }),
    bodyMode: "lenient",
    replies: {
      200: Type.Object({
        success: Type.Literal(true),
        removed_roles: Type.Array(Type.Object({}, { additionalProperties: true })),
      }),
    },
    errors: [
      "rate_limited",
      "unauthorized",
      "step_up_required",
      "not_found",
      "cannot_remove_last_owner",
      "disable_2fa_failed",
    ],
    failure: "disable_2fa_failed",
    async handle(context, { body, query }) {
      const user = requireUser(context);
      const { sensitiveGate, secondFactors } = context.core;
      if (!sensitiveGate.isFresh(user)) throw await sensitiveGate.refusal(user.userId);
      const factorId = (query.factor_id ?? "").trim() || (body.factor_id ?? "").trim();
      const removedAt = seconds(context.core.clock.now());
      const removed = await secondFactors.enrolment.remove(
        user.userId,
        factorId === "" ? undefined : factorId,
        context,
      );
      return json(200, {
        success: true,
        removed_roles: removed.map(({ groupId, persona, instanceSlug, role }) => ({
          permission_group_id: groupId,
          persona,
          instance_slug: instanceSlug ?? "",
          role,
          removed_at: removedAt,
        })),
      });
    },
  }),
  route({
    method: "POST",
    path: "/user/2fa/backup-codes",
    group: "2fa",
    since: "0.73",
    auth: "required-or-enrollment",
    enabled,
    limit: "auth_2fa_regenerate_codes",
    before: onlyUsers,
    summary: "Make a new set of backup codes; the old one is void.",
    body: Type.Object({}),
    bodyMode: "lenient",
    replies: { 200: Type.Object({ backup_codes: Type.Array(Type.String()) }) },
    errors: ["rate_limited", "unauthorized", "step_up_required", "regenerate_codes_failed"],
    failure: "regenerate_codes_failed",
    async handle(context) {
      const user = requireUser(context);
      const { sensitiveGate, secondFactors } = context.core;
      if (!sensitiveGate.isFresh(user)) throw await sensitiveGate.refusal(user.userId);
      const codes = await secondFactors.enrolment.regenerateBackupCodes(user.userId, context);
      if (codes === undefined) throw new AuthError("regenerate_codes_failed");
      return json(200, { backup_codes: codes });
    },
  }),
];
