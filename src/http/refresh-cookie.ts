import type { Config } from "../config/config.ts";
import { isAuthError } from "../contract/errors/index.ts";
import type { HttpRequest } from "../platform/http/engine.ts";
import { cookieValues } from "./cookies.ts";
import type { Reply } from "./route.ts";

const name = "authkit_rt";

function header(config: Config, value: string, maxAge: number): [string, string] {
  const { apiPrefix, baseUrl } = config;
  const attributes = [
    `${name}=${value}`,
    `Path=${apiPrefix === "" ? "/" : apiPrefix}`,
    ...(maxAge === 0 && value !== "" ? [] : [`Max-Age=${maxAge}`]),
    "HttpOnly",
    "SameSite=Lax",
    ...(new URL(baseUrl).protocol === "https:" ? ["Secure"] : []),
  ];
  return ["Set-Cookie", attributes.join("; ")];
}

/** Keeps a refresh token where no script of the page can read it (spec 20 §5.6, attributes of spec 30 §1.12). */
export function refreshCookie(config: Config, token: string): [string, string] {
  return header(config, token, config.sessions.refreshTtlSeconds);
}

/** Removes it; nothing where tokens do not travel in a cookie. */
export function clearedRefreshCookie(config: Config): [string, string][] {
  return config.sessions.refreshCookie ? [header(config, "", 0)] : [];
}

/** Moves the refresh token of a JSON reply into the cookie, where the deployment wants that. */
export function inRefreshCookie(config: Config, reply: Reply): Reply {
  const { body } = reply;
  if (!config.sessions.refreshCookie || typeof body !== "object" || body === null) return reply;
  if (!("refresh_token" in body) || typeof body.refresh_token !== "string") return reply;
  const { refresh_token: token, ...members } = body;
  return { ...reply, headers: [...(reply.headers ?? []), refreshCookie(config, token)], body: members };
}

/** Whether a refused refresh leaves the browser with a cookie that is of no use to anybody. */
export function clearsRefreshCookie(config: Config, route: string, thrown: unknown): boolean {
  return route === `${config.apiPrefix}/token` && isAuthError(thrown, "user_banned");
}

/** Another origin's page may make the browser send the cookie along, but must not have it used. */
function isForeign(origin: string | undefined, request: HttpRequest, config: Config): boolean {
  if (origin === undefined || origin === "null") return false;
  if (!URL.canParse(origin)) return true;
  const { host } = new URL(origin);
  return host !== request.header("host")?.toLowerCase() && host !== new URL(config.baseUrl).host;
}

/** The refresh token a request presents: the body's member, else the cookie; `""` when there is none, or more than one. */
export function presentedRefreshToken(request: HttpRequest, config: Config, member = ""): string {
  const own = member.trim();
  if (own !== "" || !config.sessions.refreshCookie) return own;
  if (isForeign(request.header("origin"), request, config)) return "";
  const values = cookieValues(request, name);
  return values.length === 1 ? (values[0] ?? "") : "";
}
