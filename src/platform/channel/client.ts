import { type Log, silentLog } from "../log/port.ts";
import type { PendingCall } from "./client-connection.ts";
import { type ChannelClient, type ChannelReply, type ChannelRequest, ChannelUnavailable } from "./port.ts";
import { ServerSlot } from "./server-slot.ts";

export interface ChannelClientOptions {
  readonly log?: Log;
  /** Milliseconds a call waits for a serving peer unless it says otherwise (default 5 000). */
  readonly timeoutMs?: number;
  /** Connections to each path (default 1). */
  readonly connections?: number;
  /** Largest reply body accepted (default 64 MiB). */
  readonly maxBodyBytes?: number;
}

class Client implements ChannelClient {
  readonly #slots: readonly ServerSlot[];
  readonly #timeoutMs: number;
  readonly #waiting = new Set<PendingCall>();
  #next = 0;
  #closed = false;

  constructor(paths: readonly string[], options: ChannelClientOptions) {
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    const events = {
      ready: () => this.#sendWaiting(),
      unsent: (calls: readonly PendingCall[]) => this.#again(calls),
    };
    const log = options.log ?? silentLog;
    const maxBodyBytes = options.maxBodyBytes ?? 64 * 1024 * 1024;
    this.#slots = paths.flatMap((path) =>
      Array.from(
        { length: options.connections ?? 1 },
        () => new ServerSlot(path, { maxBodyBytes, log }, events),
      ),
    );
  }

  call(
    request: ChannelRequest,
    { signal, timeoutMs = this.#timeoutMs }: { signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<ChannelReply> {
    if (this.#closed) return Promise.reject(new ChannelUnavailable("the channel is closed"));
    if (signal?.aborted) return Promise.reject(reasonOf(signal));
    return new Promise((resolve, reject) => {
      if (signal === undefined) {
        this.#start({ request, resolve, reject }, timeoutMs);
        return;
      }
      const abort = (): void => {
        this.#cancel(call);
        reject(reasonOf(signal));
      };
      const call: PendingCall = {
        request,
        resolve: (reply) => {
          signal.removeEventListener("abort", abort);
          resolve(reply);
        },
        reject: (error) => {
          signal.removeEventListener("abort", abort);
          reject(error);
        },
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#start(call, timeoutMs);
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    const error = new ChannelUnavailable("the channel is closed");
    for (const call of this.#waiting) call.reject(error);
    this.#waiting.clear();
    for (const slot of this.#slots) slot.close();
    return Promise.resolve();
  }

  #start(call: PendingCall, timeoutMs: number): void {
    const slot = this.#leastBusy();
    if (slot) slot.send(call);
    else this.#wait(call, timeoutMs);
  }

  /** The serving slot with the fewest calls in flight; equals take turns. */
  #leastBusy(): ServerSlot | undefined {
    const count = this.#slots.length;
    const first = this.#next++ % count;
    let best: ServerSlot | undefined;
    for (let i = 0; i < count; i++) {
      const slot = this.#slots[(first + i) % count];
      if (slot?.serving && (best === undefined || slot.inFlight < best.inFlight)) best = slot;
    }
    return best;
  }

  #wait(call: PendingCall, timeoutMs: number): void {
    const timer = setTimeout(() => {
      if (this.#waiting.delete(waiting)) call.reject(new ChannelUnavailable("no process serves"));
    }, timeoutMs);
    const waiting: PendingCall = call;
    this.#waiting.add(waiting);
    this.#timers.set(waiting, timer);
  }

  readonly #timers = new WeakMap<PendingCall, NodeJS.Timeout>();

  #sendWaiting(): void {
    for (const call of this.#waiting) {
      const slot = this.#leastBusy();
      if (slot === undefined) return;
      this.#waiting.delete(call);
      clearTimeout(this.#timers.get(call));
      slot.send(call);
    }
  }

  #again(calls: readonly PendingCall[]): void {
    const error = new ChannelUnavailable("the channel is closed");
    for (const call of calls) {
      if (this.#closed) call.reject(error);
      else this.#start(call, this.#timeoutMs);
    }
  }

  #cancel(call: PendingCall): void {
    if (this.#waiting.delete(call)) clearTimeout(this.#timers.get(call));
    else for (const slot of this.#slots) if (slot.cancel(call)) return;
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("aborted", { cause: signal.reason });
}

/**
 * A client of the channel servers at `paths`. Calls go to the serving peer with the fewest in flight; connections are made at once and remade with
 * back-off (10 ms to 1 s). A call whose connection breaks is sent again only when it had not been written; otherwise it rejects with
 * `ChannelUnavailable`, since the peer may have run it. `timeoutMs` of a call bounds its wait for a serving peer, not the peer's work.
 */
export function connectChannel(paths: readonly string[], options: ChannelClientOptions = {}): ChannelClient {
  return new Client(paths, options);
}
