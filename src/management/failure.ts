import { JsonError } from "../contract/codec/index.ts";
import { AuthError, browserError, type ErrorCode, managementError } from "../contract/errors/index.ts";
import type { Generation } from "../contract/types.ts";

/** How a thrown error is answered. */
export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly headers: readonly (readonly [string, string])[];
  /** A fault of the server's, to be logged with its cause; false = a documented refusal. */
  readonly unexpected: boolean;
  /** The call itself could not be served, as opposed to the method refusing it. */
  readonly transport: boolean;
}

/** One refusal has a sentence for a code in the earlier generation. */
const sentence = "authkit: entitlement filtering requires an EntitlementFilterProvider";
const spelling: Readonly<Record<Generation, Readonly<Partial<Record<ErrorCode, ErrorCode>>>>> = {
  "0.73": { entitlement_filter_unavailable: sentence },
  "0.97": { [sentence]: "entitlement_filter_unavailable" },
};

const internal: Failure = {
  status: 500,
  code: "internal_error",
  headers: [],
  unexpected: true,
  transport: true,
};

/**
 * The answer to an error thrown while a call was decoded or executed. The earlier generation knows one status, 422, for every refusal; the
 * later one maps codes to statuses. Clients compare codes only. Whatever is not an {@link AuthError} is answered without any detail.
 */
export function describeFailure(error: unknown, generation: Generation): Failure {
  if (error instanceof JsonError) {
    return { status: 400, code: "invalid_request", headers: [], unexpected: false, transport: true };
  }
  if (!(error instanceof AuthError)) return internal;
  const code = spelling[generation][error.code] ?? error.code;
  const entry = managementError(code);
  const headers: (readonly [string, string])[] = Object.entries(error.headers ?? {});
  if (error.retryAfter !== undefined) headers.push(["Retry-After", String(error.retryAfter)]);
  if (entry !== undefined) {
    const transport = entry.transport === true;
    // What is thrown with a status of its own is a fault of something else, and says so in both generations.
    const earlier = error.status !== undefined && error.status >= 500 ? error.status : 422;
    const status = transport || generation === "0.97" ? entry.later : earlier;
    return { status, code, headers, unexpected: status >= 500, transport };
  }
  // Codes only the browser plane documents: a refusal keeps its name, a fault does not.
  const status = error.status ?? browserError(code)?.status ?? 500;
  if (status >= 500) return internal;
  return { status: generation === "0.97" ? status : 422, code, headers, unexpected: false, transport: false };
}
