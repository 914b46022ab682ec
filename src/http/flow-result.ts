import type { Config } from "../config/config.ts";
import { errorEnvelope } from "../contract/errors/envelope.ts";
import { browserError, isAuthError } from "../contract/errors/index.ts";
import { FlowFailed, type FlowResult, type ResumedFlow } from "../core/federation/index.ts";
import type { LoginOutcome } from "../core/login/types.ts";
import { freshAuthMembers } from "../core/step-up/sensitive.ts";
import type { HeaderList } from "../platform/http/engine.ts";
import { jsonResult, popup, redirect, returnToMember, stepUpRedirect, wantsJson } from "./flow-delivery.ts";
import { loginMembers } from "./login-reply.ts";
import { refreshCookie } from "./refresh-cookie.ts";
import type { Reply, RouteContext } from "./route.ts";

/** What is known of a flow when it ends. */
export type EndedFlow = Pick<ResumedFlow, "provider" | "purpose" | "returnTo" | "ui" | "popupNonce">;

function asJson(context: RouteContext, format: string | undefined): boolean {
  return wantsJson(context.request.header("accept"), format);
}

/** Why a proven identity has no tokens yet, as parameters of a redirect or popup; undefined when it has. */
function pause(outcome: LoginOutcome): Record<string, string> | undefined {
  switch (outcome.kind) {
    case "granted":
      return undefined;
    case "enrollment_required":
      // Deliberately not called access_token: front ends must not take it for one.
      return {
        error: "2fa_enrollment_required",
        enrollment_token: outcome.accessToken,
        enrollment_expires_in: String(outcome.expiresIn),
        allowed_methods: outcome.allowedMethods.join(","),
      };
    case "second_factor_required":
      return {
        error: "2fa_required",
        requires_2fa: "true",
        user_id: outcome.userId,
        challenge: outcome.challenge,
        method: outcome.method,
        verification_id: outcome.verificationId,
        available_methods: outcome.availableFactors.map(({ method }) => method).join(","),
      };
    case "verification_required":
      return { error: "verification_required", identifier: outcome.identifier, channel: outcome.channel };
  }
}

function flowKind(purpose: ResumedFlow["purpose"]): "login" | "link" {
  return purpose === "link" ? "link" : "login";
}

/** The reply to a link that opened no session: the front end goes on with the tokens it has. */
function linkedReply(
  context: RouteContext,
  { flow, state, user }: Extract<FlowResult, { kind: "linked" }>,
  format: string | undefined,
): Reply {
  const { config } = context;
  const { provider } = flow;
  if (flow.ui === "popup") {
    const data = { type: "AUTHKIT_OIDC_RESULT", linked: true, provider, nonce: flow.popupNonce };
    return popup(config, { ...data, ...returnToMember(flow) });
  }
  if (asJson(context, format)) return jsonResult(200, { linked: true, provider, user });
  return redirect(config, { linked: "1", provider, state, ...returnToMember(flow) });
}

/** How the refresh token of a flow's result travels: among its members, or beside them in the cookie (spec 22 §12). */
function refreshMember(
  config: Config,
  token: string,
): { readonly headers: HeaderList; readonly members: Readonly<Record<string, string>> } {
  return config.sessions.refreshCookie
    ? { headers: [refreshCookie(config, token)], members: {} }
    : { headers: [], members: { refresh_token: token } };
}

function withHeaders(reply: Reply, more: HeaderList): Reply {
  return more.length === 0 ? reply : { ...reply, headers: [...(reply.headers ?? []), ...more] };
}

/** The reply to a callback that came to something. */
export async function flowReply(
  context: RouteContext,
  result: FlowResult,
  format: string | undefined,
): Promise<Reply> {
  const { config } = context;
  const { flow } = result;
  if (result.kind === "stepped_up") {
    if (!asJson(context, format)) return stepUpRedirect(config, flow.returnTo, "success");
    return jsonResult(200, { ok: true, ...freshAuthMembers(result.fresh), provider: flow.provider });
  }
  const { user, state } = result;
  const { provider } = flow;
  if (result.kind === "linked") return linkedReply(context, result, format);
  const { outcome } = result;
  const paused = pause(outcome);
  if (flow.ui === "popup") {
    if (paused !== undefined) {
      const { error = "", ...more } = paused;
      return popup(config, {
        type: "AUTHKIT_OIDC_ERROR",
        ...{ error, provider, flow: flowKind(flow.purpose), nonce: flow.popupNonce },
        ...more,
        ...returnToMember(flow),
      });
    }
    if (outcome.kind !== "granted") throw new Error("a result without tokens was not announced");
    const { headers, members } = refreshMember(config, outcome.refreshToken);
    const reply = popup(config, {
      type: "AUTHKIT_OIDC_RESULT",
      access_token: outcome.accessToken,
      ...members,
      expires_in: outcome.expiresIn,
      ...{ provider, nonce: flow.popupNonce },
      ...returnToMember(flow),
    });
    return withHeaders(reply, headers);
  }
  if (asJson(context, format)) {
    const person = paused === undefined ? { user } : {};
    return jsonResult(200, { ...loginMembers(outcome), ...person });
  }
  if (paused !== undefined || outcome.kind !== "granted") {
    const about = { provider, flow: flowKind(flow.purpose), ...returnToMember(flow) };
    return redirect(config, { ...paused, ...about });
  }
  const more = { provider, state, ...returnToMember(flow) };
  if (config.federation.resultMode === "code") {
    const code = await context.core.federation.results.issue({ grant: outcome, user });
    return redirect(config, { code, ...more });
  }
  const { headers, members } = refreshMember(config, outcome.refreshToken);
  const tokens = { access_token: outcome.accessToken, expires_in: String(outcome.expiresIn), ...members };
  return withHeaders(redirect(config, { ...tokens, ...more }), headers);
}

function envelope(code: string, status: number, metadata?: Readonly<Record<string, unknown>>): Reply {
  return {
    status,
    headers: [["Content-Type", "application/json; charset=utf-8"]],
    body: { text: errorEnvelope(code, status, browserError(code) ?? {}, metadata) },
  };
}

/**
 * The reply to a callback or start that failed: where the person waits, as far as that is known. Limits and outages are never redirected,
 * since they are about this server and not about the flow.
 */
export function flowFailure(
  context: RouteContext,
  thrown: unknown,
  fallback: EndedFlow,
  format: string | undefined,
): Reply {
  const flow = thrown instanceof FlowFailed ? thrown.flow : fallback;
  const error = thrown instanceof FlowFailed ? thrown.cause : thrown;
  if (!isAuthError(error) || error.code === "rate_limited" || error.code === "service_unavailable")
    throw error;
  const status = error.status ?? browserError(error.code)?.status ?? 500;
  return refusal(context, error.code, status, flow, format);
}

/** The reply to a flow that ends with a code of ours or of the provider. */
export function refusal(
  context: RouteContext,
  code: string,
  status: number,
  flow: EndedFlow,
  format: string | undefined,
): Reply {
  const { config } = context;
  if (flow.purpose === "step_up") return stepUpRedirect(config, flow.returnTo, "failed");
  if (flow.ui === "redirect" && asJson(context, format)) return envelope(code, status);
  const about = { error: code, flow: flowKind(flow.purpose) };
  if (flow.ui === "popup")
    return popup(config, {
      type: "AUTHKIT_OIDC_ERROR",
      ...about,
      provider: flow.provider,
      nonce: flow.popupNonce,
    });
  const named = flow.provider === "" ? {} : { provider: flow.provider };
  return redirect(config, { ...about, ...named, ...returnToMember(flow) });
}

/** A provider's error as a code: what cannot be one is `provider_error`. */
export function providerErrorCode(raw: string): string {
  const code = raw.trim().toLowerCase();
  return /^[a-z0-9_.-]{1,64}$/.test(code) ? code : "provider_error";
}
