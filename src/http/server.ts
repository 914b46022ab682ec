import type { Config } from "../config/config.ts";
import { AuthError, type BrowserErrorCode, isAuthError } from "../contract/errors/index.ts";
import type { Core } from "../core/index.ts";
import { jwksReply } from "../core/signing-keys/jwks-reply.ts";
import { cleanPath } from "../platform/http/clean-path.ts";
import {
  BodyTimeout,
  BodyTooLarge,
  ClientGone,
  type HeaderList,
  type HttpHandler,
  type HttpRequest,
} from "../platform/http/engine.ts";
import type { Log } from "../platform/log/port.ts";
import type { Metrics } from "../platform/metrics/port.ts";
import type { Tracing } from "../platform/tracing/port.ts";
import { createCors } from "./cors.ts";
import { errorReply } from "./envelope.ts";
import { assertFresh, authenticate } from "./guards.ts";
import type { Health } from "./health.ts";
import { parseQuery } from "./query.ts";
import { clearedRefreshCookie, clearsRefreshCookie, inRefreshCookie } from "./refresh-cookie.ts";
import { createRequestIds } from "./request-id.ts";
import type { Reply, Route } from "./route.ts";
import { compileRoutes } from "./router.ts";
import { RequestScope } from "./scope.ts";
import { type CompiledRoute, mountRoutes } from "./table.ts";

export interface HttpPlane {
  readonly core: Core;
  readonly config: Config;
  readonly routes: readonly Route[];
  /** Serves `/v1/call`; undefined = the management API is not mounted on this port. */
  readonly management: HttpHandler | undefined;
  readonly health: Health;
  readonly clientIp: (request: HttpRequest) => string | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Names the span around each request by its route. */
  readonly tracing?: Tracing | undefined;
}

const jsonHeaders: HeaderList = [
  ["Content-Type", "application/json"],
  ["Cache-Control", "no-store"],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
];

/** Headers of a reply: what the route sets wins over the defaults of the same name. */
function withDefaults(reply: Reply, requestId: string, more: HeaderList): HeaderList {
  const headers: (readonly [string, string])[] = [];
  const own = reply.headers;
  if (own === undefined) headers.push(...jsonHeaders);
  else {
    const names = new Set(own.map(([name]) => name.toLowerCase()));
    for (const header of jsonHeaders) if (!names.has(header[0].toLowerCase())) headers.push(header);
    headers.push(...own);
  }
  headers.push(...more);
  headers.push(["X-Request-Id", requestId]);
  return headers;
}

function isManagementPath(path: string): boolean {
  return path.startsWith("/v1/call/") || path === "/v1/call";
}

function encode(body: unknown): string | Buffer | undefined {
  if (body === undefined || body instanceof Buffer) return body;
  if (typeof body === "object" && body !== null && "text" in body && typeof body.text === "string")
    return body.text;
  return `${JSON.stringify(body)}\n`;
}

/** By the route's template: the path itself may hold a token. */
function nameSpan(tracing: Tracing, scope: RequestScope, route: string): void {
  const span = tracing.current();
  span?.rename(`${scope.request.method} ${route}`);
  span?.describe({ "http.route": route, "authkit.request_id": scope.requestId });
}

/** A body that cannot be read is the contract's plain `invalid_request`; a client that left gets nothing. */
function bodyFailure(error: unknown): unknown {
  if (error instanceof BodyTooLarge || error instanceof BodyTimeout)
    return new AuthError("invalid_request", { cause: error });
  return error;
}

/**
 * The browser plane as one handler: JWKS and health first, `/v1/call` by path, then the route table. Per request: route look-up → bearer →
 * permission → client limit → body → operation → reply.
 */
export function createHttpHandler(plane: HttpPlane): HttpHandler {
  const { core, config, log, tracing } = plane;
  const lookup = compileRoutes<CompiledRoute>(mountRoutes(plane.routes, config));
  const requestIds = createRequestIds();
  const cors = createCors(config.server.corsOrigins);
  const durations = plane.metrics.histogram(
    "authkit_http_request_duration_seconds",
    "Time from request head to reply.",
    ["route", "method", "status"],
  );

  const finish = (
    scope: RequestScope,
    route: string,
    started: number,
    status: number,
    headers: HeaderList,
    body?: string | Buffer,
  ): void => {
    scope.request.reply(status, headers, body);
    if (tracing !== undefined) nameSpan(tracing, scope, route);
    const seconds = (performance.now() - started) / 1000;
    durations.observe(seconds, { route, method: scope.request.method, status: String(status) });
    if (config.log.access) {
      log.info(
        {
          request_id: scope.requestId,
          method: scope.request.method,
          route,
          status,
          dur_ms: Math.round(seconds * 1e6) / 1000,
          principal: scope.principal?.kind,
          user_id: scope.principal?.kind === "user" ? scope.principal.userId : undefined,
          ip: scope.ip,
        },
        "request",
      );
    }
  };

  const fail = (
    scope: RequestScope,
    route: string,
    started: number,
    thrown: unknown,
    failure?: BrowserErrorCode,
  ): void => {
    if (thrown instanceof ClientGone || scope.request.gone) return;
    const reply = errorReply(bodyFailure(thrown), failure);
    const logged = isAuthError(thrown) ? thrown.cause : thrown;
    if (reply.status >= 500 || reply.unexpected !== undefined) {
      log.error(
        {
          request_id: scope.requestId,
          route,
          method: scope.request.method,
          code: isAuthError(thrown) ? thrown.code : "internal_error",
          err: logged,
        },
        "request failed",
      );
    }
    const cleared = clearsRefreshCookie(config, route, thrown) ? clearedRefreshCookie(config) : [];
    const headers = withDefaults({ status: reply.status, headers: reply.headers }, scope.requestId, [
      ...cors.headers(scope.request),
      ...cleared,
    ]);
    finish(scope, route, started, reply.status, headers, reply.body);
  };

  const run = async (
    scope: RequestScope,
    compiled: CompiledRoute,
    params: Readonly<Record<string, string>>,
  ): Promise<Reply> => {
    const { route } = compiled;
    const pending = authenticate(scope, route.auth, params);
    if (pending !== undefined) await pending;
    if (typeof route.limit === "string") await scope.limitIp(route.limit);
    if (route.sensitive === true) await assertFresh(scope, route);
    const early = await route.before?.(scope, params);
    if (early !== undefined) return early;
    let body: unknown;
    if (compiled.decodeBody !== undefined) {
      const bytes = await scope.request.body(config.server.maxBodyBytes);
      body = compiled.decodeBody(bytes, { chunked: scope.request.header("transfer-encoding") !== undefined });
    }
    const query = parseQuery(scope.request.query, compiled.queryNames);
    return route.handle(scope, { body, query, params });
  };

  const dispatch = async (request: HttpRequest): Promise<void> => {
    const started = performance.now();
    const scope = new RequestScope(
      core,
      config,
      request,
      requestIds(request.header("x-request-id")),
      plane.clientIp(request),
    );
    const match = lookup(request.method, request.path);
    if (match === undefined) return fail(scope, "unmatched", started, new AuthError("not_found"));
    if ("allow" in match) {
      const preflight = cors.preflight(request, match.allow);
      if (preflight !== undefined) return finish(scope, "preflight", started, 204, preflight);
      return fail(
        scope,
        "unmatched",
        started,
        new AuthError("method_not_allowed", { headers: { Allow: match.allow } }),
      );
    }
    const { route: compiled, params } = match;
    try {
      const reply = inRefreshCookie(config, await run(scope, compiled, params));
      finish(
        scope,
        compiled.template,
        started,
        reply.status,
        withDefaults(reply, scope.requestId, [...scope.limitHeaders, ...cors.headers(request)]),
        encode(reply.body),
      );
    } catch (thrown) {
      fail(scope, compiled.template, started, thrown, compiled.route.failure);
    }
  };

  return (request) => {
    const { path } = request;
    if (path === "/.well-known/jwks.json") {
      const reply = jwksReply(request.method, request.headerText("if-none-match"), core.keyRing.current());
      request.reply(reply.status, reply.headers, reply.body);
      return undefined;
    }
    // Whoever comes by a detour is sent the clean path by the management plane itself.
    if (plane.management !== undefined && (isManagementPath(path) || isManagementPath(cleanPath(path))))
      return plane.management(request);
    if (path === "/healthz") return plane.health.live(request);
    if (path === "/readyz") return plane.health.ready(request);
    return dispatch(request);
  };
}
