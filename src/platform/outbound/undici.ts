import { lookup } from "node:dns";
import type { Agent } from "undici";
import type { Tracing } from "../tracing/port.ts";
import { blockedAddress, OutboundError } from "./errors.ts";
import { createFetch } from "./fetch.ts";
import type { Outbound, OutboundRequest, OutboundResponse } from "./port.ts";
import type { Resolve } from "./resolve.ts";
import { isInternalHost } from "./uri.ts";

const defaultTimeoutMs = 10_000;
const defaultMaxBytes = 1024 * 1024;

export interface OutboundOptions {
  /** Development and closed networks: private and reserved addresses may be called. */
  readonly allowPrivate: boolean;
  readonly userAgent?: string;
  /** Gives each call a span. The ids of our traces are not sent along: they are none of the other side's business. */
  readonly tracing?: Tracing | undefined;
  /** All addresses of a name; the system's resolver by default. */
  readonly resolve?: Resolve;
}

const systemResolve: Resolve = (hostname, callback) => lookup(hostname, { all: true }, callback);

/**
 * Outbound calls on undici. The guard sits in the connector: a name is resolved once, every address it has must be public, and the
 * connection goes to an address of exactly that answer, so a name cannot change between check and use. Rejects with `OutboundError`.
 */
export function createOutbound(options: OutboundOptions): Outbound {
  // Loaded with the first call: most workers make none, and the library is large.
  let agent: Promise<Agent> | undefined;
  const connected = (): Promise<Agent> => {
    agent ??= import("./agent.ts").then(({ createGuardedAgent }) =>
      createGuardedAgent(options.allowPrivate, options.resolve ?? systemResolve),
    );
    return agent;
  };
  const userAgent = options.userAgent ?? "authkit-server";

  async function untraced(
    request: OutboundRequest,
    body: string | Uint8Array | undefined,
  ): Promise<OutboundResponse> {
    const url = URL.parse(request.url);
    if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
      throw new OutboundError("invalid_url", "not an absolute http(s) URL");
    }
    if (!options.allowPrivate && isInternalHost(url.hostname)) throw blockedAddress(url.hostname);
    const limit = AbortSignal.timeout(request.timeout ?? defaultTimeoutMs);
    const signal = request.signal === undefined ? limit : AbortSignal.any([limit, request.signal]);
    try {
      const response = await (await connected()).request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method ?? "GET",
        headers: { "user-agent": userAgent, accept: "*/*", ...lowerCaseNames(request.headers) },
        body: body ?? null,
        signal,
      });
      const bytes = await readBody(response.body, request.maxBytes ?? defaultMaxBytes, url.hostname);
      return { status: response.statusCode, headers: plainHeaders(response.headers), body: bytes };
    } catch (error) {
      throw translate(error, url.hostname, limit.aborted, request.signal?.aborted === true);
    }
  }

  const { tracing } = options;
  const send: typeof untraced =
    tracing === undefined
      ? untraced
      : (request, body) => {
          const method = request.method ?? "GET";
          const host = URL.parse(request.url)?.hostname ?? "";
          const attributes = { "http.request.method": method, "server.address": host };
          return tracing.span(method, { kind: "client", attributes }, async (span) => {
            const response = await untraced(request, body);
            span.describe({ "http.response.status_code": response.status });
            if (response.status >= 400) span.fail(String(response.status));
            return response;
          });
        };

  return {
    request: (request) => send(request, request.body),
    fetch: createFetch(send),
    async close() {
      await (await agent)?.destroy();
    },
  };
}

async function readBody(body: AsyncIterable<Buffer>, maxBytes: number, host: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    // Leaving the loop destroys the stream and with it the connection.
    if (size > maxBytes)
      throw new OutboundError("too_large", `the answer of ${host} exceeds ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function lowerCaseNames(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function plainHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}

function translate(error: unknown, host: string, timedOut: boolean, aborted: boolean): OutboundError {
  const known = outboundCause(error);
  if (known !== undefined) return known;
  if (aborted) return new OutboundError("aborted", `the call to ${host} was cancelled`, error);
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (timedOut || (typeof code === "string" && code.endsWith("_TIMEOUT"))) {
    return new OutboundError("timeout", `${host} did not answer in time`, error);
  }
  return new OutboundError("network", `${host} could not be reached`, error);
}

/** Errors of our own connector come back as they are, or wrapped where several addresses were tried. */
function outboundCause(error: unknown): OutboundError | undefined {
  if (error instanceof OutboundError) return error;
  if (error instanceof AggregateError)
    return error.errors.map(outboundCause).find((one) => one !== undefined);
  return error instanceof Error && error.cause !== undefined ? outboundCause(error.cause) : undefined;
}
