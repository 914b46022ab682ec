import type { Span, TraceCarrier, Tracing } from "../tracing/port.ts";
import type { HeaderList, HttpHandler, HttpRequest } from "./engine.ts";

/** Paths of which many are asked for, and which hold nothing but themselves. */
const namedPaths = new Set(["/.well-known/jwks.json", "/healthz", "/readyz"]);
const call = /^\/v1\/call\/([A-Za-z]{1,64})$/;

/**
 * A handler each of whose requests is a span, continued from the client's `traceparent`. Without tracing it is the handler itself.
 *
 * Span names never come from a path that could be anything: a client must not be able to make up names or put a token into one.
 */
export function traceRequests(handler: HttpHandler, tracing: Tracing | undefined): HttpHandler {
  if (tracing === undefined) return handler;
  return (request) => {
    const { method, path } = request;
    const route = namedPaths.has(path) ? path : call.test(path) ? "/v1/call/{Method}" : undefined;
    const attributes = {
      "http.request.method": method,
      ...(route === undefined ? {} : { "http.route": route }),
    };
    const name = route === undefined ? method : `${method} ${route}`;
    const parent = carrierOf(request);
    return tracing.span(name, { kind: "server", attributes, parent }, async (span) =>
      handler(new TracedRequest(request, span)),
    );
  };
}

function carrierOf(request: HttpRequest): TraceCarrier {
  const parent = request.header("traceparent");
  const state = request.header("tracestate");
  return {
    ...(parent === undefined ? {} : { traceparent: parent }),
    ...(state === undefined ? {} : { tracestate: state }),
  };
}

/** Tells the span how the request was answered. */
class TracedRequest implements HttpRequest {
  readonly #request: HttpRequest;
  readonly #span: Span;

  constructor(request: HttpRequest, span: Span) {
    this.#request = request;
    this.#span = span;
  }

  get method(): string {
    return this.#request.method;
  }
  get path(): string {
    return this.#request.path;
  }
  get query(): string {
    return this.#request.query;
  }
  get remoteAddress(): string {
    return this.#request.remoteAddress;
  }
  get gone(): boolean {
    return this.#request.gone;
  }
  get signal(): AbortSignal {
    return this.#request.signal;
  }
  header(name: string): string | undefined {
    return this.#request.header(name);
  }
  headerText(name: string): string {
    return this.#request.headerText(name);
  }
  headerValues(name: string): readonly string[] {
    return this.#request.headerValues(name);
  }
  body(limit: number): Promise<Buffer> {
    return this.#request.body(limit);
  }
  reply(status: number, headers: HeaderList, body?: string | Buffer): void {
    this.#request.reply(status, headers, body);
    this.#span.describe({ "http.response.status_code": status });
    if (status >= 500) this.#span.fail(String(status));
  }
}
