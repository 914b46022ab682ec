import { type ClientMethodCodec, decodeErrorCode } from "../contract/codec/index.ts";
import {
  AuthError,
  type AuthErrorOptions,
  browserErrors,
  type ErrorCode,
  managementErrors,
} from "../contract/errors/index.ts";
import type { TransportReply } from "./transport.ts";

/** Error bodies longer than this are no envelopes of ours. */
const longestErrorBody = 64 * 1024;

function isKnownCode(code: string): code is ErrorCode {
  return Object.hasOwn(managementErrors, code) || Object.hasOwn(browserErrors, code);
}

/** The error a failed reply stands for: its own code when that is known here, else `internal_error` telling what came. */
export function errorOf({ status, retryAfter, body }: TransportReply): AuthError {
  const code = body.length > longestErrorBody ? "" : decodeErrorCode(body);
  const options: AuthErrorOptions = retryAfter === undefined ? { status } : { status, retryAfter };
  if (isKnownCode(code)) return new AuthError(code, options);
  return new AuthError("internal_error", {
    ...options,
    message: `remote: ${code === "" ? "unknown error" : code}`,
  });
}

/** The result in a reply. Throws {@link AuthError}, or a `JsonError` when a success cannot be read. */
export function resultOf(reply: TransportReply, codec: ClientMethodCodec): unknown {
  if (reply.status < 200 || reply.status > 299) throw errorOf(reply);
  return codec.decodeResult(reply.body);
}
