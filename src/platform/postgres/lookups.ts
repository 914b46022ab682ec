import type pg from "pg";
import type { Log } from "../log/port.ts";
import type { Connection, PreparedText } from "./connection.ts";
import { unavailable } from "./failures.ts";
import type { ConnectionPool } from "./pool.ts";

/** Enough to save most system calls, and few enough to leave the rest to other connections and their server processes. */
const largestBatch = 8;
/** How often aborts and deadlines are looked at. */
const watchMs = 100;
/** How long after the first cancellation the server may take before the connection counts as dead. */
const cancelGraceMs = 2_000;

interface Lookup {
  readonly statement: PreparedText;
  readonly values: unknown[];
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: pg.QueryResult) => void;
  readonly reject: (error: unknown) => void;
  /** The caller has its answer. */
  answered: boolean;
}

interface Batch {
  readonly lookups: readonly Lookup[];
  /** Milliseconds of `performance.now`. */
  readonly deadline: number;
  /** Undefined while the batch waits for one. */
  connection: Connection | undefined;
  unsettled: number;
  cancelling: Promise<void> | undefined;
  cancelledAt: number;
}

/** Runs one look-up. Rejects with the driver's error, `service_unavailable` after the time-out, or the signal's reason. */
export type RunLookup = <R extends object>(
  statement: PreparedText,
  values: unknown[],
  signal: AbortSignal | undefined,
) => Promise<pg.QueryResult<R>>;

/**
 * Look-ups by key that are asked for in one turn of the event loop travel together: one connection, one write, answered in order. A write to a
 * socket and waking the server's process cost more than such a statement does, so under load this is most of what it costs. Each still is a
 * transaction of its own.
 *
 * @param timeoutMs bound of one look-up; 0 = none.
 */
export function createLookups(pool: ConnectionPool, timeoutMs: number, log: Log): RunLookup {
  let collected: Lookup[] = [];
  const flying = new Set<Batch>();
  let watching: NodeJS.Timeout | undefined;

  function flush(): void {
    const lookups = collected;
    collected = [];
    for (let at = 0; at < lookups.length; at += largestBatch) void send(lookups.slice(at, at + largestBatch));
  }

  async function send(lookups: readonly Lookup[]): Promise<void> {
    const batch: Batch = {
      lookups,
      deadline: timeoutMs > 0 ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY,
      connection: undefined,
      unsettled: lookups.length,
      cancelling: undefined,
      cancelledAt: 0,
    };
    flying.add(batch);
    watching ??= setInterval(watch, watchMs).unref();
    let connection: Connection;
    try {
      const lent = pool.acquire();
      connection = lent instanceof Promise ? await lent : lent;
    } catch (error) {
      flying.delete(batch);
      for (const lookup of lookups) fail(lookup, error);
      return;
    }
    batch.connection = connection;
    connection.together(() => {
      for (const lookup of lookups) {
        if (lookup.signal?.aborted) fail(lookup, lookup.signal.reason);
        if (lookup.answered) settle(batch, connection);
        else run(batch, connection, lookup);
      }
    });
  }

  function run(batch: Batch, connection: Connection, lookup: Lookup): void {
    connection.query(lookup.statement, lookup.values).then(
      (result) => {
        if (!lookup.answered) {
          lookup.answered = true;
          lookup.resolve(result);
        }
        settle(batch, connection);
      },
      (error: unknown) => {
        fail(lookup, error);
        settle(batch, connection);
      },
    );
  }

  function settle(batch: Batch, connection: Connection): void {
    batch.unsettled--;
    if (batch.unsettled > 0) return;
    flying.delete(batch);
    // Until the cancel request has ended it could still hit whatever runs next on this connection.
    if (batch.cancelling === undefined) pool.release(connection);
    else batch.cancelling.then(() => pool.release(connection));
  }

  /** Answers callers that left or waited too long, and ends what nobody waits for any more. */
  function watch(): void {
    if (flying.size === 0) {
      clearInterval(watching);
      watching = undefined;
      return;
    }
    const now = performance.now();
    for (const batch of flying) {
      for (const lookup of batch.lookups) {
        if (lookup.answered) continue;
        if (lookup.signal?.aborted) fail(lookup, lookup.signal.reason);
        else if (now > batch.deadline)
          fail(lookup, unavailable(new Error(`a look-up took longer than ${timeoutMs} ms`)));
      }
      if (batch.connection !== undefined && batch.lookups.every(({ answered }) => answered))
        cancel(batch, batch.connection, now);
    }
  }

  /** Once a tick, since a cancellation ends only the look-up that runs, not those behind it. */
  function cancel(batch: Batch, connection: Connection, now: number): void {
    if (batch.cancelledAt === 0) batch.cancelledAt = now;
    if (now - batch.cancelledAt > cancelGraceMs) {
      log.warn({}, "the database did not react to a cancellation; dropping the connection");
      connection.destroy();
      return;
    }
    const earlier = batch.cancelling;
    const asked = connection.cancel();
    batch.cancelling = earlier === undefined ? asked : earlier.then(() => asked);
  }

  return <R extends object>(statement: PreparedText, values: unknown[], signal: AbortSignal | undefined) =>
    new Promise<pg.QueryResult<R>>((resolve, reject) => {
      if (collected.length === 0) setImmediate(flush);
      // The statement's own row type is the caller's affair, as it is with the driver.
      const deliver = resolve as (result: pg.QueryResult) => void;
      collected.push({ statement, values, signal, resolve: deliver, reject, answered: false });
    });
}

function fail(lookup: Lookup, error: unknown): void {
  if (lookup.answered) return;
  lookup.answered = true;
  lookup.reject(error);
}
