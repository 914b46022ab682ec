import cluster from "node:cluster";
import type { Config } from "../src/config/config.ts";
import { loadProcessConfig } from "../src/config/index.ts";
import { storeCompiledCode } from "../src/platform/compile-cache.ts";
import { createLog } from "../src/platform/log/pino.ts";
import type { Log } from "../src/platform/log/port.ts";
import { createMetrics, type ProcessMetrics } from "../src/platform/metrics/prometheus.ts";
import type { Tracing } from "../src/platform/tracing/port.ts";
import { startTracing } from "../src/platform/tracing/start.ts";
import { converse } from "./supervision/conversation.ts";
import type { Served, WorkerKind } from "./supervision/messages.ts";

/** What every worker has before it does its own work. */
export interface WorkerProcess {
  readonly name: string;
  readonly config: Config;
  readonly log: Log;
  readonly metrics: ProcessMetrics;
  /** There when tracing is on and this kind of process takes part. */
  readonly tracing: Tracing | undefined;
  /** Resolves when those this worker needs serve, which start beside it; at once when they have served before. */
  othersServe(): Promise<void>;
  /** Tells the primary that this worker serves. */
  ready(served?: Served): void;
  /** Tells the primary that this worker waits for an outage to end, so that it is given more time. */
  waiting(): void;
  /** Runs once when the primary asks for a drain, or is gone; the process ends when it resolves. */
  onDrain(task: () => Promise<void>): void;
}

/** Milliseconds a worker without a primary has beyond the shutdown time-out, as one with a primary has. */
const orphanSlackMs = 2_000;

/**
 * The frame of a worker process: configuration from the environment it was forked with and what the primary found out since, log, metrics, and
 * the conversation with the primary, which may have forked it before the stores were prepared. Signals are the primary's business; a worker whose primary died drains by itself.
 */
export async function workerProcess(kind: WorkerKind, slot: number): Promise<WorkerProcess> {
  const name = `${kind}-${slot}`;
  const metrics = createMetrics(name);
  let log: Log | undefined;
  let tracing: Tracing | undefined;
  let drain: (() => Promise<void>) | undefined;
  let draining = false;

  const end = async (): Promise<void> => {
    if (draining) return;
    draining = true;
    let code = 0;
    try {
      await drain?.();
      await tracing?.stop();
    } catch (error) {
      log?.error({ err: error }, "drain failed");
      code = 1;
    }
    process.exit(code);
  };
  const primary = converse({
    drain: () => void end(),
    metrics: () =>
      metrics.snapshot().catch((error: unknown) => {
        log?.error({ err: error }, "metrics could not be collected");
        return undefined;
      }),
  });
  Object.assign(process.env, await primary.begin());

  const { config } = loadProcessConfig(process.env);
  // A hash is a span of whoever asked for it; the processes that compute them stay small.
  const traced = config.tracing.enabled && kind !== "hashing";
  const own = createLog(config.log, {
    worker: name,
    around: traced ? () => tracing?.fields() ?? {} : undefined,
  });
  log = own;

  // Terminals and service managers signal the whole group; only the primary acts on it, in the right order.
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) process.on(signal, () => undefined);
  // Node ends a worker whose primary is gone there and then, with whatever it is at, unless the worker is known to be about to end.
  cluster.worker?.once("disconnect", () => {
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    own.warn({}, "the primary is gone: draining");
    // Nobody else is there to end one that does not finish.
    setTimeout(() => process.exit(1), config.server.shutdownTimeoutMs + orphanSlackMs).unref();
    void end();
  });
  process.on("uncaughtException", (error) => {
    own.fatal({ err: error }, "uncaught exception");
    process.exit(1);
  });
  process.on("unhandledRejection", (reason) => {
    own.fatal({ err: reason }, "unhandled rejection");
    process.exit(1);
  });

  if (traced) tracing = await startTracing(name, own);

  return {
    name,
    config,
    log: own,
    metrics,
    tracing,
    othersServe: () => primary.othersServe(),
    ready(served) {
      primary.ready(served);
      storeCompiledCode();
    },
    waiting: () => primary.waiting(),
    onDrain(task) {
      drain = task;
    },
  };
}
