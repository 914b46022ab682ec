import { AuthError, type BrowserErrorCode, browserError, isAuthError } from "../contract/errors/index.ts";
import type { HeaderList } from "../platform/http/engine.ts";

/** An error as it goes to a browser client: status, extra headers and the JSON envelope. */
export interface ErrorReply {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: string;
  /** The cause to log, when this is no documented refusal. */
  readonly unexpected: unknown;
}

const acronyms = new Set([
  "2fa",
  "oidc",
  "siws",
  "api",
  "sms",
  "url",
  "id",
  "jwt",
  "ttl",
  "ip",
  "otp",
  "rbac",
  "totp",
  "sns",
]);

/** `oidc_begin_failed` → `OIDC begin failed.` */
export function humanize(code: string): string {
  const words = code.split("_").map((word) => (acronyms.has(word) ? word.toUpperCase() : word));
  const first = words[0] ?? "";
  words[0] = first.charAt(0).toUpperCase() + first.slice(1);
  return `${words.join(" ")}.`;
}

/** The envelope's `type` follows from the status alone. */
export function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "authorization_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "api_error" : "invalid_request_error";
}

/**
 * Turns anything thrown into the error envelope. What is no `AuthError`, or carries a code the browser plane does not know, becomes
 * `failure` and is handed back in `unexpected` for the log; nothing of it reaches the client.
 */
export function errorReply(thrown: unknown, failure: BrowserErrorCode = "internal_error"): ErrorReply {
  const known = isAuthError(thrown) ? browserError(thrown.code) : undefined;
  const error = isAuthError(thrown) && known !== undefined ? thrown : new AuthError(failure);
  const entry = known ?? browserError(failure) ?? { status: 500 };
  const status = error.status ?? entry.status;
  const headers: [string, string][] = [];
  if (error.retryAfter !== undefined) headers.push(["Retry-After", String(error.retryAfter)]);
  if (error.headers !== undefined) headers.push(...Object.entries(error.headers));
  if (status === 401) headers.push(["WWW-Authenticate", "Bearer"]);
  const body: Record<string, unknown> = {
    type: errorType(status),
    code: error.code,
    message: entry.message ?? humanize(error.code),
  };
  if (status === 400 && entry.param !== undefined) body["param"] = entry.param;
  if (error.metadata !== undefined && Object.keys(error.metadata).length > 0)
    body["metadata"] = error.metadata;
  return {
    status,
    headers,
    body: `${JSON.stringify({ error: body })}\n`,
    unexpected: known === undefined ? thrown : undefined,
  };
}
