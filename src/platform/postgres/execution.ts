import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log/port.ts";
import type { Connection } from "./connection.ts";
import { unavailable } from "./failures.ts";

/** Bounds of one statement. */
export interface Bounds {
  readonly signal: AbortSignal | undefined;
  /** 0 = unlimited. */
  readonly timeoutMs: number;
  readonly log: Log;
}

/** How long after a cancellation the server may take before the connection counts as dead. */
const cancelGraceMs = 2_000;

/** The outcome for the caller, and when the connection is free again, which may be later. */
export interface Running<T> {
  readonly result: Promise<T>;
  readonly settled: Promise<void>;
}

/**
 * Watches a statement in flight: an abort or the time-out makes the server cancel it, and the caller is answered without
 * waiting for that. Deadlines are kept here rather than by `statement_timeout`, which poolers in between refuse, and so
 * that a server that fell silent is noticed too.
 */
export function watch<T>(connection: Connection, work: Promise<T>, bounds: Bounds): Running<T> {
  const { signal, timeoutMs } = bounds;
  if (signal === undefined && timeoutMs <= 0) return { result: work, settled: work.then(ignore, ignore) };
  let cancelled: Promise<void> | undefined;
  let finished = false;
  const ended = Promise.withResolvers<void>();
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const interrupt = (reason: unknown) => {
    if (finished || cancelled !== undefined) return;
    reject(reason);
    cancelled = cancelRunning(connection, ended.promise, bounds.log);
  };
  const timer =
    timeoutMs > 0
      ? setTimeout(
          () => interrupt(unavailable(new Error(`a statement took longer than ${timeoutMs} ms`))),
          timeoutMs,
        )
      : undefined;
  const onAbort = () => interrupt(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const finish = () => {
    finished = true;
    ended.resolve();
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  };
  const tracked = work.finally(finish);
  const result = Promise.race([tracked, interrupted]);
  // Until the cancel request has ended it could still hit whatever runs next on this connection.
  const settled = tracked.then(ignore, ignore).then(() => cancelled);
  return { result, settled };
}

async function cancelRunning(connection: Connection, ended: Promise<void>, log: Log): Promise<void> {
  await connection.cancel();
  // The statement's own end, which the cancellation brings about, arrives on the other connection: before or after this one closed.
  const grace = new AbortController();
  const overdue = delay(cancelGraceMs, "overdue", { ref: false, signal: grace.signal }).catch(ignore);
  if ((await Promise.race([ended, overdue])) === "overdue") {
    log.warn({}, "the database did not react to a cancellation; dropping the connection");
    connection.destroy();
  }
  grace.abort();
}

function ignore(): void {}
