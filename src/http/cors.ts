import type { HeaderList, HttpRequest } from "../platform/http/engine.ts";

const none: HeaderList = [];

/** Cross-origin rules for the origins the operator listed; without a list nothing is ever sent (the contract's behaviour). */
export interface Cors {
  /** Headers to add to a reply. */
  headers(request: HttpRequest): HeaderList;
  /** Answers a preflight; undefined when this is none we admit. */
  preflight(request: HttpRequest, allow: string): HeaderList | undefined;
}

/** Compares origins exactly, as browsers send them: scheme, host and port, no path. */
export function createCors(origins: readonly string[]): Cors {
  const allowed = new Set(origins);
  const headers = (request: HttpRequest): HeaderList => {
    if (allowed.size === 0) return none;
    const origin = request.header("origin");
    if (origin === undefined || !allowed.has(origin)) return [["Vary", "Origin"]];
    return [
      ["Vary", "Origin"],
      ["Access-Control-Allow-Origin", origin],
      [
        "Access-Control-Expose-Headers",
        "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id",
      ],
    ];
  };
  return {
    headers,
    preflight(request, allow) {
      const origin = request.header("origin");
      if (request.method !== "OPTIONS" || origin === undefined || !allowed.has(origin)) return undefined;
      if (request.header("access-control-request-method") === undefined) return undefined;
      return [
        ...headers(request),
        ["Access-Control-Allow-Methods", allow],
        ["Access-Control-Allow-Headers", "authorization, content-type, x-request-id"],
        ["Access-Control-Max-Age", "600"],
      ];
    },
  };
}
