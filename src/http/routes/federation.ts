import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { safeReturnTo } from "../../core/identifiers/index.ts";
import { clearedFlowCookies, flowCookies, holdsFlow } from "../flow-cookie.ts";
import { type EndedFlow, flowFailure, flowReply, providerErrorCode, refusal } from "../flow-result.ts";
import { tokenMembers } from "../login-reply.ts";
import { requireUser } from "../principals.ts";
import { json, type Reply, type Route, type RouteContext, route } from "../route.ts";
import { tokenBody } from "../schemas.ts";

const text = Type.Optional(Type.String());
const enabled: NonNullable<Route["enabled"]> = (config) => config.providers.length > 0;
const popupNonce = /^[A-Za-z0-9_-]{0,128}$/;
const startErrors = [
  "rate_limited",
  "unknown_provider",
  "invalid_ui",
  "oidc_begin_failed",
  "state_store_failed",
] as const;
const started = Type.Object({ auth_url: Type.String(), state: Type.String() });

const secure = ({ config }: RouteContext): boolean => config.federation.publicUrl.startsWith("https:");

function parseUi(value: string | undefined): "redirect" | "popup" {
  if (value === undefined || value === "") return "redirect";
  if (value === "popup") return "popup";
  throw new AuthError("invalid_ui");
}

function acceptedNonce(nonce = ""): string {
  return popupNonce.test(nonce) ? nonce : "";
}

function origin(query: { return_to?: string; ui?: string; popup_nonce?: string }) {
  return {
    returnTo: safeReturnTo(query.return_to?.trim()) ?? "/",
    ui: parseUi(query.ui),
    popupNonce: acceptedNonce(query.popup_nonce),
  };
}

const callbackQuery = Type.Object({
  state: text,
  code: text,
  error: text,
  error_description: text,
  error_uri: text,
  iss: text,
  format: text,
  ui: text,
});

function callback(path: string, stepUp: boolean): Route {
  return route({
    method: "GET",
    path,
    group: "federation",
    since: "0.73",
    auth: "none",
    enabled,
    // Nothing that merely looks at an address, like a scanner of mails, runs a flow.
    head: false,
    limit: "auth_oidc_callback",
    summary: `The provider's answer to ${stepUp ? "a step-up" : "a login or link"}: back to the front end with tokens or the reason there are none.`,
    query: callbackQuery,
    replies: { 200: Type.Object({}, { additionalProperties: true }), 302: null },
    errors: [
      "rate_limited",
      "unknown_provider",
      "invalid_request",
      "invalid_state",
      "provider_error",
      "oidc_exchange_failed",
      "exchange_failed",
      "userinfo_failed",
      "provider_already_linked",
      "provider_link_failed",
      "account_exists_link_required",
      "registration_disabled",
      "user_creation_failed",
      "user_banned",
      "session_issue_failed",
      "token_issue_failed",
    ],
    failure: "session_issue_failed",
    async handle(context, { query, params }) {
      const { federation } = context.core;
      const provider = (params["provider"] ?? "").toLowerCase();
      const format = query.format;
      let flow: EndedFlow = {
        provider,
        // What a flow is for stands in its record, not in the address.
        purpose: "login",
        returnTo: "/",
        ui: query.ui === "popup" ? "popup" : "redirect",
        popupNonce: "",
      };
      const state = query.state ?? "";
      const cleared = state === "" ? [] : clearedFlowCookies(state, secure(context));
      const withCookies = (reply: Reply): Reply => ({
        ...reply,
        headers: [...(reply.headers ?? []), ...cleared],
      });
      try {
        if (!federation.providers().some(({ id }) => id === provider))
          throw new AuthError("unknown_provider");
        const bound = state !== "" && holdsFlow(context.request, state);
        if (query.error !== undefined && query.error !== "") {
          federation.providerRefused(provider, query);
          // The flow is looked up only to know where its person waits; another browser's is left alone.
          if (bound) flow = (await federation.resume(provider, state).catch(forgotten))?.flow ?? flow;
          return withCookies(refusal(context, providerErrorCode(query.error), 400, flow, format));
        }
        if (state === "" || (query.code ?? "") === "") throw new AuthError("invalid_request");
        if (!bound) throw new AuthError("invalid_state");
        const pending = await federation.resume(provider, state);
        flow = pending.flow;
        const answer = new URLSearchParams({ state, code: query.code ?? "" });
        if (query.iss !== undefined) answer.set("iss", query.iss);
        const result = await federation.finish(pending, answer, context);
        return withCookies(await flowReply(context, result, format));
      } catch (error) {
        return withCookies(flowFailure(context, error, flow, format));
      }
    },
  });
}

function forgotten(error: unknown): undefined {
  if (!isAuthError(error, "invalid_state")) throw error;
  return undefined;
}

function isForm(contentType = ""): boolean {
  return contentType.split(";")[0]?.trim().toLowerCase() === "application/x-www-form-urlencoded";
}

/** Providers that answer by a form of another site: the browser is sent on to the GET route, where its cookie comes along. */
function formPost(path: string): Route {
  return route({
    method: "POST",
    path,
    group: "federation",
    since: "0.97",
    auth: "none",
    enabled,
    limit: "auth_oidc_callback",
    summary: "The answer of a provider that posts a form; continued at the GET route.",
    replies: { 303: null },
    errors: ["rate_limited", "unknown_provider", "method_not_allowed", "invalid_request"],
    async handle(context, { params }) {
      const { federation } = context.core;
      const id = (params["provider"] ?? "").toLowerCase();
      const provider = federation.providers().find((one) => one.id === id);
      if (provider === undefined) throw new AuthError("unknown_provider");
      if (!provider.answersByForm) throw new AuthError("method_not_allowed", { headers: { Allow: "GET" } });
      if (!isForm(context.request.header("content-type"))) throw new AuthError("invalid_request");
      const body = await context.request.body(65_536);
      const form = new URLSearchParams(body.toString("utf8"));
      const query = new URLSearchParams();
      for (const name of ["state", "code", "error", "iss"]) {
        const value = form.get(name);
        if (value !== null && value.length <= 4096) query.set(name, value);
      }
      // The name stays here: an address ends up in histories and logs.
      await federation.receiveForm(id, form.get("state") ?? "", form.get("user") ?? "");
      const target = `${context.config.apiPrefix}${path.replace("{provider}", encodeURIComponent(id))}`;
      return {
        status: 303,
        headers: [
          ["Location", `${target}?${query}`],
          ["Cache-Control", "no-store"],
          ["Referrer-Policy", "no-referrer"],
        ],
      };
    },
  });
}

export const federationRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/oidc/{provider}/login",
    group: "federation",
    since: "0.73",
    auth: "none",
    enabled,
    head: false,
    limit: "auth_oidc_start",
    summary: "Sign in at an identity provider: redirects the browser there.",
    query: Type.Object({
      return_to: text,
      ui: text,
      popup_nonce: text,
      account_invite_token: text,
      link: text,
      format: text,
    }),
    replies: { 302: null },
    errors: [...startErrors, "auth_required_for_link"],
    failure: "oidc_begin_failed",
    async handle(context, { query, params }) {
      const provider = params["provider"] ?? "";
      const flow: EndedFlow = {
        provider: provider.toLowerCase(),
        purpose: "login",
        returnTo: safeReturnTo(query.return_to?.trim()) ?? "/",
        ui: query.ui === "popup" ? "popup" : "redirect",
        popupNonce: acceptedNonce(query.popup_nonce),
      };
      try {
        if (["1", "true"].includes((query.link ?? "").toLowerCase()))
          throw new AuthError("auth_required_for_link");
        const from = origin(query);
        const { url, state } = await context.core.federation.start(
          provider,
          { kind: "login", inviteToken: (query.account_invite_token ?? "").trim() },
          from,
          context,
        );
        return {
          status: 302,
          headers: [
            ["Location", url],
            ["Cache-Control", "no-store"],
            ["Referrer-Policy", "no-referrer"],
            ...flowCookies(state, secure(context)),
          ],
        };
      } catch (error) {
        return flowFailure(context, error, flow, query.format);
      }
    },
  }),
  callback("/oidc/{provider}/callback", false),
  callback("/oidc/{provider}/step-up/callback", true),
  formPost("/oidc/{provider}/callback"),
  formPost("/oidc/{provider}/step-up/callback"),
  route({
    method: "POST",
    path: "/oidc/result",
    group: "federation",
    since: "0.97",
    auth: "none",
    enabled: (config) => enabled(config) && config.federation.resultMode === "code",
    limit: "auth_oidc_callback",
    summary: "The tokens behind the one-time code a provider sign-in ended with; a code lives a minute.",
    body: Type.Object({ code: text }),
    replies: { 200: tokenBody },
    errors: ["rate_limited", "invalid_request", "invalid_or_expired_code"],
    async handle(context, { body }) {
      const { grant, user } = await context.core.federation.results.redeem((body.code ?? "").trim());
      return json(200, { ...tokenMembers(grant), user });
    },
  }),
  route({
    method: "POST",
    path: "/oidc/{provider}/link/start",
    group: "federation",
    since: "0.73",
    auth: "required",
    enabled,
    limit: "auth_oidc_start",
    summary: "Link an identity provider to the signed-in account: the address the browser has to go to.",
    query: Type.Object({ return_to: text, ui: text, popup_nonce: text }),
    replies: { 200: started },
    errors: [...startErrors, "unauthorized", "step_up_required"],
    failure: "oidc_begin_failed",
    async handle(context, { query, params }) {
      const user = requireUser(context);
      const { federation, sensitiveGate } = context.core;
      if (context.config.federation.linkRequiresStepUp && !sensitiveGate.isFresh(user))
        throw await sensitiveGate.refusal(user.userId);
      const from = origin(query);
      const purpose = { kind: "link", userId: user.userId } as const;
      const { url, state } = await federation.start(params["provider"] ?? "", purpose, from, context);
      return json(200, { auth_url: url, state }, flowCookies(state, secure(context)));
    },
  }),
  route({
    method: "POST",
    path: "/oidc/{provider}/step-up/start",
    group: "federation",
    since: "0.73",
    auth: "required",
    enabled,
    limit: "auth_oidc_start",
    summary: "Make the session fresh by signing in again at a linked provider.",
    body: Type.Object({ return_to: text }),
    bodyMode: "lenient",
    query: Type.Object({ ui: text, popup_nonce: text }),
    replies: { 200: started },
    errors: [...startErrors, "not_authenticated", "provider_not_linked", "step_up_required"],
    failure: "oidc_begin_failed",
    async handle(context, { body, query, params }) {
      const user = requireUser(context, "not_authenticated");
      if (user.sessionId === undefined) throw new AuthError("not_authenticated");
      await context.core.sensitiveGate.assertRenews(user.userId, (params["provider"] ?? "").toLowerCase());
      const { url, state } = await context.core.federation.start(
        params["provider"] ?? "",
        { kind: "step_up", userId: user.userId, sessionId: user.sessionId },
        origin({ ...query, ...(body.return_to === undefined ? {} : { return_to: body.return_to }) }),
        context,
      );
      return json(200, { auth_url: url, state }, flowCookies(state, secure(context)));
    },
  }),
];
