import type { Method, MethodKey } from "../contract/methods/index.ts";

/** A call on its way to the server: arguments are encoded already. */
export interface TransportCall {
  readonly key: MethodKey;
  readonly method: Method;
  /** JSON. */
  readonly body: string;
  /** Aborts when the caller lost interest or the time is up. */
  readonly signal: AbortSignal;
}

export interface TransportReply {
  readonly status: number;
  /** Whole seconds of `Retry-After`. */
  readonly retryAfter?: number | undefined;
  readonly body: string;
}

/** Carries calls; rejects when no reply came. */
export type Transport = (call: TransportCall) => Promise<TransportReply>;
