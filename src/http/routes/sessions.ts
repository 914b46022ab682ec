import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { isUuid } from "../../core/identifiers/index.ts";
import type { EnrollmentHandOff } from "../../core/sessions/types.ts";
import { secondFactorMembers } from "../../core/step-up/options.ts";
import { enrollmentMembers, offeredMembers, tokenMembers } from "../login-reply.ts";
import { requireUser } from "../principals.ts";
import { clearedRefreshCookie, presentedRefreshToken } from "../refresh-cookie.ts";
import { json, type Reply, type Route, type RouteContext, route } from "../route.ts";
import { enrollmentBody, okBody, tokenBody } from "../schemas.ts";

const sessionBody = Type.Object(
  {
    session_id: Type.String(),
    family_id: Type.String(),
    created_at: Type.String(),
    last_used_at: Type.String(),
    expires_at: Type.Union([Type.String(), Type.Null()]),
    ip: Type.Union([Type.String(), Type.Null()]),
    ua: Type.Union([Type.String(), Type.Null()]),
    current: Type.Boolean(),
  },
  { $id: "Session" },
);

/** The answer to a refresh that a gate stopped; a client that knows how can show the second factor it lacks. */
async function handOff(context: RouteContext, outcome: EnrollmentHandOff): Promise<Reply> {
  const { sensitiveGate, secondFactors } = context.core;
  if (outcome.secondFactorEnrolled && context.config.strictStatus) {
    const offer = secondFactorMembers(await sensitiveGate.stepUpOptions(outcome.userId));
    throw new AuthError("2fa_required", { metadata: { step_up_2fa: offer } });
  }
  const offer = outcome.secondFactorEnrolled ? await secondFactors.login.offer(outcome) : undefined;
  return json(200, {
    ...enrollmentMembers(outcome),
    ...(offer === undefined ? {} : offeredMembers(offer)),
  });
}

function loggedOut({ config }: RouteContext): Reply {
  return { ...json(200, { ok: true }), headers: clearedRefreshCookie(config) };
}

export const sessionRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/token",
    group: "sessions",
    since: "0.73",
    auth: "none",
    limit: "auth_token",
    summary: "Exchange a refresh token for a new token pair; each refresh token works once.",
    body: Type.Object({
      grant_type: Type.String({ description: "`refresh_token`" }),
      refresh_token: Type.Optional(Type.String()),
    }),
    replies: { 200: Type.Union([tokenBody, enrollmentBody]) },
    errors: [
      "invalid_request",
      "invalid_refresh_token",
      "user_banned",
      "2fa_required",
      "rate_limited",
      "token_issue_failed",
    ],
    failure: "token_issue_failed",
    async handle(context, { body }) {
      const token = presentedRefreshToken(context.request, context.config, body.refresh_token);
      if (body.grant_type.trim().toLowerCase() !== "refresh_token" || token === "")
        throw new AuthError("invalid_request");
      const outcome = await context.core.sessions.refresh(token, context);
      return outcome.kind === "granted" ? json(200, tokenMembers(outcome)) : handOff(context, outcome);
    },
  }),
  route({
    method: "POST",
    path: "/sessions/current",
    group: "sessions",
    since: "0.73",
    auth: "none",
    limit: "auth_sessions_current",
    summary: "Tell which session a refresh token belongs to, without using it up.",
    body: Type.Object({ refresh_token: Type.Optional(Type.String()) }),
    replies: { 200: Type.Object({ session_id: Type.String() }) },
    errors: ["invalid_request", "invalid_refresh_token", "rate_limited"],
    async handle(context, { body }) {
      const token = presentedRefreshToken(context.request, context.config, body.refresh_token);
      if (token === "") throw new AuthError("invalid_request");
      return json(200, { session_id: await context.core.sessions.current(token) });
    },
  }),
  route({
    method: "DELETE",
    path: "/logout",
    group: "sessions",
    since: "0.73",
    auth: "required",
    limit: "auth_logout",
    summary: "End the session of the presented access token.",
    replies: { 200: okBody },
    errors: ["unauthorized", "missing_sid_claim", "rate_limited", "failed_to_logout"],
    failure: "failed_to_logout",
    async handle(context) {
      const user = requireUser(context);
      if (user.sessionId === undefined) throw new AuthError("missing_sid_claim");
      if (isUuid(user.sessionId))
        await context.core.sessions.revoke(user.userId, user.sessionId, "logout", context);
      return loggedOut(context);
    },
  }),
  route({
    method: "POST",
    path: "/logout",
    group: "sessions",
    since: "0.97",
    auth: "none",
    limit: "auth_logout",
    summary:
      "End the session of a refresh token, when the access token has run out. Also a success for an unknown one.",
    body: Type.Object({ refresh_token: Type.Optional(Type.String()) }),
    replies: { 200: okBody },
    errors: ["invalid_request", "rate_limited", "failed_to_logout"],
    failure: "failed_to_logout",
    async handle(context, { body }) {
      const token = presentedRefreshToken(context.request, context.config, body.refresh_token);
      if (token === "") throw new AuthError("invalid_request");
      await context.core.sessions.end(token);
      return loggedOut(context);
    },
  }),
  route({
    method: "GET",
    path: "/user/sessions",
    group: "sessions",
    since: "0.73",
    auth: "required",
    limit: "auth_sessions_list",
    summary: "List the live sessions of the account, most recently used first.",
    replies: { 200: Type.Object({ data: Type.Array(sessionBody) }) },
    errors: ["unauthorized", "rate_limited", "failed_to_list"],
    failure: "failed_to_list",
    async handle(context) {
      const user = requireUser(context);
      const rows = await context.core.sessions.list(user.userId);
      return json(200, {
        data: rows.map((row) => ({
          session_id: row.id,
          family_id: row.familyId,
          created_at: row.createdAt,
          last_used_at: row.lastUsedAt,
          expires_at: row.expiresAt,
          ip: row.ip,
          ua: row.userAgent,
          current: row.id === user.sessionId,
        })),
      });
    },
  }),
  route({
    method: "DELETE",
    path: "/user/sessions/{id}",
    group: "sessions",
    since: "0.73",
    auth: "required",
    limit: "auth_sessions_revoke",
    summary:
      "End one session of the account; a session of somebody else is left alone, with the same answer.",
    replies: { 200: okBody },
    errors: ["unauthorized", "missing_session_id", "rate_limited", "failed_to_revoke"],
    failure: "failed_to_revoke",
    async handle(context, { params }) {
      const user = requireUser(context);
      const id = (params["id"] ?? "").trim();
      if (id === "") throw new AuthError("missing_session_id");
      if (isUuid(id)) await context.core.sessions.revoke(user.userId, id, "user_revoke", context);
      return json(200, { ok: true });
    },
  }),
  route({
    method: "DELETE",
    path: "/user/sessions",
    group: "sessions",
    since: "0.73",
    auth: "required",
    limit: "auth_sessions_revoke_all",
    summary: "End every session of the account, the current one included.",
    replies: { 200: okBody },
    errors: ["unauthorized", "rate_limited", "failed_to_revoke_all"],
    failure: "failed_to_revoke_all",
    async handle(context) {
      const user = requireUser(context);
      await context.core.sessions.revokeAll(user.userId, "user_revoke_all", context);
      return json(200, { ok: true });
    },
  }),
];
