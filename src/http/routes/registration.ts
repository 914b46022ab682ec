import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { parseNewEmail, parseNewPhone } from "../../core/identifiers/index.ts";
import type { RegistrationResult } from "../../core/registration/index.ts";
import { loginMembers } from "../login-reply.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { enrollmentBody, okBody, tokenBody } from "../schemas.ts";

const nullableText = Type.Union([Type.String(), Type.Null()]);

const registeredBody = Type.Intersect(
  [
    Type.Object({
      ok: Type.Literal(true),
      username: Type.String(),
      email: nullableText,
      phone_number: nullableText,
      discord_username: Type.Null(),
      next_action: Type.String({ description: "`none`, `verify_email` or `verify_phone`." }),
    }),
    Type.Partial(tokenBody),
    Type.Partial(enrollmentBody),
  ],
  { $id: "Registered" },
);

const field = Type.Object({ available: Type.Boolean(), error: Type.Optional(Type.String()) });

const availabilityBody = Type.Object(
  {
    username: Type.Optional(field),
    email: Type.Optional(field),
    phone_number: Type.Optional(field),
  },
  { $id: "Availability" },
);

function registeredMembers(result: RegistrationResult): Record<string, unknown> {
  return {
    ok: true,
    username: result.username,
    email: result.email,
    phone_number: result.phoneNumber,
    discord_username: null,
    next_action: result.nextAction,
    ...(result.login === undefined ? {} : loginMembers(result.login)),
  };
}

/** Whoever came with an invite confirms, or asks again by signing in; strangers are refused in every mode but `open`. */
function assertResumable(context: RouteContext): void {
  const { mode } = context.config.registration;
  if (mode !== "open") throw new AuthError("registration_disabled");
}

function resendRoute(channel: "email" | "phone"): Route {
  const byEmail = channel === "email";
  const member: string = byEmail ? "email" : "phone_number";
  const bucket = byEmail ? "auth_register_resend_email" : "auth_register_resend_phone";
  return route({
    method: "POST",
    path: `/register/resend-${channel}`,
    group: "registration",
    since: "0.73",
    auth: "none",
    limit: { deferred: bucket },
    enabled: (config) => config.registration.mode !== "closed",
    async before(context) {
      assertResumable(context);
      if (context.config.registration.verification === "none") return json(202, { ok: true });
      await context.limitIp(bucket);
      return undefined;
    },
    summary:
      "Send a new code and link for a registration that waits for verification; the old ones are dead.",
    body: Type.Object({ [member]: Type.Optional(Type.String()) }),
    replies: { 202: okBody },
    errors: [
      ...([
        "registration_disabled",
        "rate_limited",
        "invalid_request",
        "pending_registration_not_found",
      ] as const),
      ...(byEmail
        ? (["invalid_email", "email_unavailable", "email_delivery_failed"] as const)
        : (["invalid_phone_number", "phone_unavailable", "sms_delivery_failed"] as const)),
      "resend_failed",
    ],
    failure: "resend_failed",
    async handle(context, { body }) {
      const { core, config } = context;
      const text = body[member] ?? "";
      const address = byEmail ? parseNewEmail(text) : parseNewPhone(text);
      if (!core.messages.available(byEmail ? "email" : "sms")) {
        const status = config.strictStatus ? { status: 503 } : {};
        throw new AuthError(byEmail ? "email_unavailable" : "phone_unavailable", status);
      }
      await context.limit(bucket, address);
      await core.registration.resend(channel, address, context);
      return json(202, { ok: true });
    },
  });
}

export const registrationRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/register",
    group: "registration",
    since: "0.73",
    auth: "none",
    limit: "auth_register",
    enabled: (config) => config.registration.mode !== "closed",
    summary: "Register an account with an e-mail address or a phone number, a username and a password.",
    body: Type.Object({
      identifier: Type.Optional(Type.String({ description: "E-mail address or E.164 phone number." })),
      username: Type.Optional(Type.String()),
      password: Type.Optional(Type.String()),
      account_invite_token: Type.Optional(Type.String()),
    }),
    replies: { 202: registeredBody },
    errors: [
      "invalid_request",
      "rate_limited",
      "password_too_short",
      "password_too_common",
      "password_breached",
      "username_too_short",
      "username_too_long",
      "username_must_start_with_letter",
      "username_cannot_contain_at",
      "username_invalid_characters",
      "username_not_allowed",
      "owner_slug_taken",
      "invalid_identifier",
      "hash_failed",
      "email_registration_unavailable",
      "phone_registration_unavailable",
      "email_in_use",
      "phone_in_use",
      "username_in_use",
      "registration_disabled",
      "email_delivery_failed",
      "sms_delivery_failed",
      "registration_failed",
      "user_banned",
      "token_issue_failed",
      "database_error",
      "server_busy",
    ],
    failure: "registration_failed",
    async handle(context, { body }) {
      const result = await context.core.registration.register(
        {
          identifier: body.identifier ?? "",
          username: body.username ?? "",
          password: body.password ?? "",
          inviteToken: body.account_invite_token,
        },
        context,
      );
      return json(202, registeredMembers(result));
    },
  }),
  route({
    method: "GET",
    path: "/register/availability",
    group: "registration",
    since: "0.73",
    auth: "none",
    limit: "auth_register_availability",
    summary: "Tell whether a username, e-mail address or phone number can be registered.",
    query: Type.Object({
      username: Type.Optional(Type.String()),
      email: Type.Optional(Type.String()),
      phone_number: Type.Optional(Type.String()),
    }),
    replies: { 200: availabilityBody },
    errors: ["invalid_request", "rate_limited", "database_error"],
    failure: "database_error",
    async handle(context, { query }) {
      const found = await context.core.registration.availability({
        username: query.username,
        email: query.email,
        phoneNumber: query.phone_number,
      });
      return json(200, {
        ...(found.username === undefined ? {} : { username: found.username }),
        ...(found.email === undefined ? {} : { email: found.email }),
        ...(found.phoneNumber === undefined ? {} : { phone_number: found.phoneNumber }),
      });
    },
  }),
  ...(["email", "phone"] as const).map(resendRoute),
  route({
    method: "POST",
    path: "/register/abandon",
    group: "registration",
    since: "0.73",
    auth: "none",
    limit: { deferred: "auth_register_abandon" },
    enabled: (config) => config.registration.mode !== "closed",
    before: async (context) => {
      assertResumable(context);
      await context.limitIp("auth_register_abandon");
      return undefined;
    },
    summary:
      "Give up a registration that waits for verification; the answer never tells whether there was one.",
    body: Type.Object({
      identifier: Type.Optional(Type.String()),
      email: Type.Optional(Type.String()),
      password: Type.Optional(Type.String()),
    }),
    replies: { 200: okBody },
    errors: ["registration_disabled", "rate_limited", "invalid_request", "abandon_failed", "server_busy"],
    failure: "abandon_failed",
    async handle(context, { body }) {
      const identifier = (body.identifier ?? "").trim() || (body.email ?? "").trim();
      const password = body.password ?? "";
      if (identifier === "" || password === "") throw new AuthError("invalid_request");
      await context.limit("auth_register_abandon", identifier);
      await context.core.registration.abandon(identifier, password, context);
      return json(200, { ok: true });
    },
  }),
];
