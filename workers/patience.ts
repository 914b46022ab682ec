import { setTimeout as delay } from "node:timers/promises";
import { isAuthError } from "../src/contract/errors/index.ts";
import type { Log } from "../src/platform/log/port.ts";
import { isDatabaseAway } from "../src/platform/postgres/index.ts";

/** Who waits. */
export interface Waiting {
  readonly log: Log;
  /** Called before each further attempt. */
  readonly waiting?: () => void;
  /** Milliseconds after which the last failure is thrown; absent = waits for ever. */
  readonly longestMs?: number;
}

const firstPauseMs = 100;
/** Short enough that service is back within two seconds of the database, the rest of the start included. */
const longestPauseMs = 500;

/**
 * Runs a step of a process's start until the database and Redis let it succeed. A process that is started during an outage waits for its end
 * instead of dying again and again, which would look like a crash loop. Other errors pass.
 */
export async function patiently<T>(
  { log, waiting, longestMs = Number.POSITIVE_INFINITY }: Waiting,
  step: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + longestMs;
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    try {
      return await step();
    } catch (error) {
      if (!isAuthError(error, "service_unavailable") && !isDatabaseAway(error)) throw error;
      if (performance.now() + pause > deadline) throw error;
      if (pause === firstPauseMs) log.warn({ err: error }, "waiting for the database or Redis to start");
      waiting?.();
      await delay(pause);
    }
  }
}
