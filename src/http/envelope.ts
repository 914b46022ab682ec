import { errorEnvelope } from "../contract/errors/envelope.ts";
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
  return {
    status,
    headers,
    body: errorEnvelope(error.code, status, entry, error.metadata),
    unexpected: known === undefined ? thrown : undefined,
  };
}
