import { type ClientMethodCodec, createClientCodec } from "../contract/codec/index.ts";
import { AuthError } from "../contract/errors/index.ts";
import type { CallOptions, Client } from "../contract/handlers.ts";
import { type Method, type MethodKey, methodRows } from "../contract/methods/index.ts";
import type { Generation } from "../contract/types.ts";
import { resultOf } from "./reply.ts";
import type { Transport } from "./transport.ts";

export interface DeriveOptions<G extends Generation> {
  readonly contract: G;
  readonly timeoutMs: number;
}

type Invoke = (args: unknown, options?: CallOptions) => Promise<unknown>;

/**
 * Runs `work` with a signal that aborts with the caller's own or after `ms`. An abort of the caller's stays what it is; everything else that
 * prevented a reply is `service_unavailable`.
 */
async function withDeadline<T>(
  ms: number,
  own: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const forward = (): void => controller.abort(own?.reason);
  // Ended by hand: signals of their own would keep their timers until these run out.
  const timer = setTimeout(() => controller.abort(new Error("no reply in time")), ms);
  own?.addEventListener("abort", forward, { once: true });
  try {
    return await work(controller.signal);
  } catch (error) {
    if (own?.aborted === true) throw own.reason;
    const message = controller.signal.aborted ? "remote: no reply in time" : "remote: not reachable";
    throw error instanceof AuthError
      ? error
      : new AuthError("service_unavailable", { message, cause: error });
  } finally {
    clearTimeout(timer);
    own?.removeEventListener("abort", forward);
  }
}

/**
 * The client over a transport: one function for each row of the method table. Codecs are compiled at the first call of a method, so that a
 * process which uses three methods pays for three.
 */
export function deriveClient<G extends Generation>(
  transport: Transport,
  defaults: DeriveOptions<G>,
): Client<G> {
  const compile = createClientCodec(defaults.contract);

  const invokes = (key: MethodKey, method: Method): Invoke => {
    let compiled: ClientMethodCodec | undefined;
    const call: Invoke = async (args, options = {}) => {
      compiled ??= compile(method);
      const body = compiled.encodeArguments(args);
      options.signal?.throwIfAborted();
      const reply = await withDeadline(options.timeoutMs ?? defaults.timeoutMs, options.signal, (signal) =>
        transport({ key, method, body, signal }),
      );
      return resultOf(reply, compiled);
    };
    if (method.canFail) return call;
    // The contract knows no failure of these methods, so the caller gets the zero value whatever happened.
    return (args, options) => call(args, options).catch(() => compile(method).zeroResult());
  };

  const client: Record<string, unknown> = {};
  for (const [key, method] of methodRows) {
    const invoke = invokes(key, method);
    const bare = Object.keys(method.args).length === 0;
    client[key] = bare ? (options?: CallOptions) => invoke({}, options) : invoke;
  }
  // The loop above makes exactly the functions the type derives from the same rows.
  return Object.freeze(client) as Client<G>;
}
