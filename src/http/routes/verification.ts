import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { normalizePhone, parseNewEmail, parseNewPhone } from "../../core/identifiers/index.ts";
import { freshAuthMembers } from "../../core/step-up/sensitive.ts";
import type { ConfirmOutcome } from "../../core/verification/index.ts";
import { landingRoute } from "../landing.ts";
import { loginMembers } from "../login-reply.ts";
import { json, type Reply, type Route, type RouteContext, route } from "../route.ts";
import { freshAuthFields, loginBody, okBody } from "../schemas.ts";

type Channel = "email" | "phone";

const messageBody = Type.Object({ ok: Type.Literal(true), message: Type.String() });

const requestedBody = Type.Object(
  { ok: Type.Literal(true), message: Type.Optional(Type.String()), ...freshAuthFields },
  { $id: "VerificationRequested" },
);

const texts = {
  email: {
    requested: "Verification sent to new email address",
    changed: "Email changed successfully",
  },
  phone: {
    requested: "Verification sent to new phone",
    changed: "Phone number changed successfully",
  },
} as const;

function parseAddress(channel: Channel, text: string): string {
  return channel === "email" ? parseNewEmail(text) : parseNewPhone(text);
}

/** A signed-in user asks for another address: fresh authentication first, then the change's own limit. */
async function requestChange(
  context: RouteContext,
  channel: Channel,
  address: string,
  password: string | undefined,
): Promise<Reply> {
  const { core, principal } = context;
  if (principal?.kind !== "user") throw new AuthError("unauthorized");
  await context.limitIp(`auth_user_${channel}_change_request`);
  const fresh = await core.sensitiveGate.require(principal, password, context);
  await core.contactChanges.request(principal.userId, channel, address, context);
  return json(202, { ok: true, message: texts[channel].requested, ...freshAuthMembers(fresh) });
}

function requestRoute(channel: Channel): Route {
  const member: string = channel === "email" ? "email" : "phone_number";
  const bucket = `auth_${channel}_verify_request`;
  return route({
    method: "POST",
    path: `/${channel}/verify/request`,
    group: "verification",
    since: "0.73",
    auth: "optional",
    limit: bucket,
    summary:
      "Send a code and a link that verify a contact; signed in: start changing the account's own contact to this one.",
    body: Type.Object({
      [member]: Type.Optional(Type.String()),
      password: Type.Optional(
        Type.String({ description: "Signed in only: proof instead of a fresh access token." }),
      ),
    }),
    replies: { 202: requestedBody },
    errors: [
      ...(["rate_limited", "invalid_request", "user_not_found", "verification_request_failed"] as const),
      ...(["step_up_required", "invalid_password", "password_reset_required", "unauthorized"] as const),
      "step_up_failed",
      ...(channel === "email"
        ? ([
            ...(["invalid_email", "email_verification_unavailable", "email_already_verified"] as const),
            ...(["email_unchanged", "email_in_use", "failed_to_request_email_change"] as const),
            "email_delivery_failed",
          ] as const)
        : ([
            ...([
              "invalid_phone_number",
              "phone_verification_unavailable",
              "phone_already_verified",
            ] as const),
            ...(["phone_unchanged", "phone_in_use", "failed_to_request_phone_change"] as const),
            "sms_delivery_failed",
          ] as const)),
    ],
    failure: "verification_request_failed",
    async handle(context, { body }) {
      const { core, config, principal } = context;
      const address = parseAddress(channel, body[member] ?? "");
      await context.limit(bucket, address);
      if (!core.messages.available(channel === "email" ? "email" : "sms")) {
        throw new AuthError(
          channel === "email" ? "email_verification_unavailable" : "phone_verification_unavailable",
          config.strictStatus ? { status: 503 } : {},
        );
      }
      if (principal?.kind === "user") return requestChange(context, channel, address, body["password"]);
      await core.verification.request(channel, address, context);
      return json(202, { ok: true });
    },
  });
}

function confirmReply(channel: Channel, outcome: ConfirmOutcome): Reply {
  return outcome.kind === "signed_in"
    ? json(200, loginMembers(outcome.outcome))
    : json(200, { ok: true, message: texts[channel].changed });
}

function confirmRoute(channel: Channel): Route {
  const byEmail = channel === "email";
  const member: string = byEmail ? "email" : "phone_number";
  const bucket = `auth_${channel}_verify_confirm`;
  return route({
    method: "POST",
    path: `/${channel}/verify/confirm`,
    group: "verification",
    since: "0.73",
    auth: "optional",
    limit: bucket,
    summary: "Redeem a code with its address, or the token of a link.",
    body: Type.Object({
      [member]: Type.Optional(Type.String()),
      identifier: Type.Optional(Type.String({ description: "The address as well." })),
      code: Type.Optional(Type.String()),
      token: Type.Optional(Type.String({ description: "Of a link; wins over `code`." })),
    }),
    replies: { 200: Type.Union([loginBody, messageBody]) },
    errors: [
      ...([
        "rate_limited",
        "invalid_request",
        "invalid_or_expired_code",
        "invalid_or_expired_token",
      ] as const),
      ...(["verification_link_expired", "user_banned", "token_issue_failed"] as const),
      ...(byEmail
        ? (["invalid_email", "email_already_verified", "email_in_use"] as const)
        : (["phone_already_verified", "phone_in_use"] as const)),
      "username_in_use",
    ],
    failure: "token_issue_failed",
    async handle(context, { body }) {
      const { core, principal } = context;
      const own = (body[member] ?? "").trim();
      const identifier = (body["identifier"] ?? "").trim();
      const token = (body["token"] ?? "").trim();
      if (token !== "") {
        const outcome = await core.verification.confirmByToken(channel, token, identifier || own, context);
        return confirmReply(channel, outcome);
      }
      const code = (body["code"] ?? "").trim().toUpperCase();
      const text = byEmail ? own || identifier : own;
      if (code === "" || text === "") throw new AuthError("invalid_request");
      const address = byEmail ? parseNewEmail(text) : normalizePhone(text);
      await context.limit(bucket, address);
      const userId = principal?.kind === "user" ? principal.userId : undefined;
      const outcome = await core.verification.confirmByCode(channel, address, code, userId, context);
      return confirmReply(channel, outcome);
    },
  });
}

/** [proposal] A change that was started by mistake, or by somebody else, can be taken back. */
function cancelRoute(channel: Channel): Route {
  return route({
    method: "DELETE",
    path: `/user/${channel}-change`,
    group: "verification",
    since: "0.97",
    auth: "required",
    limit: `auth_user_${channel}_change_cancel`,
    summary: "Forget an unfinished change of the account's contact; its code and link are dead.",
    replies: { 200: okBody },
    errors: ["unauthorized", "rate_limited"],
    async handle(context) {
      if (context.principal?.kind !== "user") throw new AuthError("unauthorized");
      await context.core.contactChanges.cancel(context.principal.userId, channel);
      return json(200, { ok: true });
    },
  });
}

const channels = ["email", "phone"] as const;

export const verificationRoutes: readonly Route[] = [
  ...channels.map(requestRoute),
  ...channels.map((channel) => landingRoute(channel, "verify")),
  ...channels.map(confirmRoute),
  ...channels.map(cancelRoute),
];
