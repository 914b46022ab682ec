import { setTimeout as delay } from "node:timers/promises";
import { isAuthError } from "../src/contract/errors/index.ts";
import { isDatabaseAway } from "../src/platform/postgres/index.ts";
import type { WorkerProcess } from "./lifecycle.ts";

const firstPauseMs = 100;
const longestPauseMs = 1_000;

/**
 * Runs a step of a worker's start until the database and Redis let it succeed. A worker that is started during an outage waits for its end
 * instead of dying again and again, which would look like a crash loop. Other errors pass.
 */
export async function patiently<T>(
  worker: Pick<WorkerProcess, "log" | "waiting">,
  step: () => Promise<T>,
): Promise<T> {
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    try {
      return await step();
    } catch (error) {
      if (!isAuthError(error, "service_unavailable") && !isDatabaseAway(error)) throw error;
      if (pause === firstPauseMs)
        worker.log.warn({ err: error }, "waiting for the database or Redis to start");
      worker.waiting();
      await delay(pause);
    }
  }
}
