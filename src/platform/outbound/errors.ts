import { hostAddress } from "./uri.ts";

export type OutboundFault =
  /** Not an absolute http(s) URL, or one the rules refuse before any look-up. */
  | "invalid_url"
  /** The host is, or resolves to, an address that is not public. */
  | "blocked_address"
  | "timeout"
  | "too_large"
  | "aborted"
  /** Resolution, connection, TLS or protocol failed. */
  | "network";

/** Why a call to another server did not come about. The message names the host at most, never the query or body. */
export class OutboundError extends Error {
  override readonly name = "OutboundError";
  readonly fault: OutboundFault;

  constructor(fault: OutboundFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}

/** The refusal of a host that is, or resolves to, an address that is not public. */
export function blockedAddress(hostname: string): OutboundError {
  return new OutboundError("blocked_address", `${hostAddress(hostname)} is not a public address`);
}
