import { type BrowserErrorCode, type BrowserErrorEntry, browserErrors } from "./browser.ts";
import { type ManagementErrorCode, type ManagementErrorEntry, managementErrors } from "./management.ts";

export { type BrowserErrorCode, type BrowserErrorEntry, browserErrors } from "./browser.ts";
export { type ManagementErrorCode, type ManagementErrorEntry, managementErrors } from "./management.ts";

/** Any code of either plane; both clients and both envelopes understand all of them. */
export type ErrorCode = BrowserErrorCode | ManagementErrorCode;

export interface AuthErrorOptions {
  /** Text for logs and people, where the code alone says too little; never sent. Defaults to the code. */
  readonly message?: string;
  /** One of the catalogue's `alternatives` for the code, where a route answers it under another status. */
  readonly status?: number;
  /** Structured facts for the client; sent as `error.metadata` on the browser plane. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Whole seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfter?: number;
  /** Further response headers this error carries. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What really happened; logged, never sent. */
  readonly cause?: unknown;
}

/**
 * The one error class of the project: a documented refusal, named by its code.
 *
 * Status, type and message come from the catalogue. Anything thrown that is not an `AuthError` is a bug and is
 * answered as `internal_error`.
 */
export class AuthError extends Error {
  override readonly name = "AuthError";
  readonly code: ErrorCode;
  readonly status: number | undefined;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfter: number | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(code: ErrorCode, options: AuthErrorOptions = {}) {
    super(options.message ?? code, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.metadata = options.metadata;
    this.retryAfter = options.retryAfter;
    this.headers = options.headers;
  }
}

/** Whether `error` is an {@link AuthError}, of that code when one is given. */
export function isAuthError(error: unknown, code?: ErrorCode): error is AuthError {
  return error instanceof AuthError && (code === undefined || error.code === code);
}

/** Runs a step whose unexpected failures are reported under a code of its own; documented refusals pass as they are. */
export async function failingAs<T>(code: ErrorCode, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw isAuthError(cause) ? cause : new AuthError(code, { cause });
  }
}

const browserTable: Readonly<Record<string, BrowserErrorEntry>> = browserErrors;
const managementTable: Readonly<Record<string, ManagementErrorEntry>> = managementErrors;

/** Catalogue entry of a browser code, if the browser plane knows it. */
export function browserError(code: string): BrowserErrorEntry | undefined {
  return Object.hasOwn(browserTable, code) ? browserTable[code] : undefined;
}

/** Catalogue entry of a management code, if the management plane knows it. */
export function managementError(code: string): ManagementErrorEntry | undefined {
  return Object.hasOwn(managementTable, code) ? managementTable[code] : undefined;
}
