import type { Log } from "../log/port.ts";
import type { Metrics } from "../metrics/port.ts";
import { type Database, type Queryable, sql } from "./port.ts";

const readClock = sql("clock.read", () => `SELECT clock_timestamp() AS "now"`);

/**
 * Milliseconds by which this machine's wall clock is ahead of the database's (negative: behind), when the database read its own at some
 * moment between `sent` and `received`; 0 when that explains the difference.
 */
export function offsetWithin(sent: number, theirs: number, received: number): number {
  if (theirs < sent) return sent - theirs;
  return theirs > received ? received - theirs : 0;
}

/** Asks the database for the time; see {@link offsetWithin}. */
export async function clockOffset(database: Queryable): Promise<number> {
  const sent = Date.now();
  const row = await database.row<{ readonly now: Date }>(readClock);
  const received = Date.now();
  // An answer from before it was asked for: the clock was set meanwhile, and the next look tells.
  return row === undefined || received < sent ? 0 : offsetWithin(sent, row.now.getTime(), received);
}

export interface ClockWatchOptions {
  readonly database: Database;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds of difference that tokens bear (`AUTHKIT_TOKEN_SKEW`). */
  readonly tolerableMs: number;
  /** Milliseconds between two looks; default a minute. */
  readonly everyMs?: number;
}

export interface ClockWatch {
  /** Looks now. Never rejects: a database that is away is others' affair. */
  look(): Promise<void>;
  close(): void;
}

/** Compares this node's wall clock with the database's now and then, and says when it has become wrong and when it is right again. */
export function watchClock(options: ClockWatchOptions): ClockWatch {
  const { database, log, metrics, tolerableMs } = options;
  const offset = metrics.gauge(
    "authkit_clock_offset_seconds",
    "How far the clock is ahead of the database's",
  );
  let wrong = false;

  async function look(): Promise<void> {
    const ahead = await clockOffset(database);
    offset.set(ahead / 1000);
    const seconds = Math.round(ahead / 1000);
    if (Math.abs(ahead) > tolerableMs && !wrong)
      log.error(
        { clock_offset_seconds: seconds },
        "this machine's clock differs from the database's by more than tokens bear: other nodes and resource servers will refuse its tokens; let NTP set it",
      );
    else if (Math.abs(ahead) <= tolerableMs && wrong)
      log.info({ clock_offset_seconds: seconds }, "this machine's clock agrees with the database's again");
    wrong = Math.abs(ahead) > tolerableMs;
  }

  const quietly = (): Promise<void> =>
    look().catch((error: unknown) => log.debug({ err: error }, "the clock could not be compared"));
  const timer = setInterval(() => void quietly(), options.everyMs ?? 60_000);
  timer.unref();
  void quietly();
  return { look: quietly, close: () => clearInterval(timer) };
}
