import type { Client } from "../contract/handlers.ts";
import type { MethodKey } from "../contract/methods/index.ts";
import type { Generation } from "../contract/types.ts";
import { deriveClient } from "./derive.ts";

/** A call handed to the server inside this process. */
export interface EmbeddedCall {
  readonly key: MethodKey;
  /** JSON arguments. */
  readonly body: string;
  readonly signal: AbortSignal;
}

export interface EmbeddedClientOptions<G extends Generation = "0.73"> {
  /** Executes a call the way the server would, and never rejects: errors come back as their envelope. */
  readonly call: (call: EmbeddedCall) => Promise<{ readonly status: number; readonly body: string }>;
  /** Generation the server is configured for. Default 0.73. */
  readonly contract?: G;
  /** Milliseconds a call may take. Default 30 000. */
  readonly timeoutMs?: number;
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * The management API of a server that runs in this process. Arguments and results go through the same codec as over HTTP, so both clients
 * behave alike to the last detail; what is saved is the network.
 */
export function createEmbeddedClient<G extends Generation = "0.73">(
  options: EmbeddedClientOptions<G>,
): Client<G> {
  return deriveClient(({ key, body, signal }) => unlessAborted(options.call({ key, body, signal }), signal), {
    contract: options.contract ?? ("0.73" as G),
    timeoutMs: options.timeoutMs ?? 30_000,
  });
}
