import cluster from "node:cluster";
import type { Config } from "../../src/config/config.ts";
import type { Log } from "../../src/platform/log/port.ts";
import { type Findings, isToPrimary, type Served, type ToWorker, type WorkerKind } from "./messages.ts";
import { Slot } from "./slot.ts";

/** How long the metrics listener waits for a worker's share. */
const metricsTimeoutMs = 1_000;
/** A worker that is busy for longer has hung. */
const hungMs = 10_000;

export interface Supervisor {
  /** Forks all workers but those of jobs, so that their code is loaded when the stores are prepared. What becomes of them is `start`'s to tell. Once. */
  fork(): void;
  /**
   * Starts them, now that the stores are prepared; those of http serve when those of hashing and management do, and jobs are last. Rejects
   * when one does not start.
   *
   * @param findings what the workers have to know beside the environment they were forked with
   */
  start(findings: Findings): Promise<void>;
  /** Once all have started, replaces every worker, one at a time, without failing a request. A second call while one runs is ignored. */
  roll(): Promise<void>;
  /** Drains in reverse order of dependence: http first, so nothing new arrives, then the rest. */
  stop(): Promise<void>;
  /** Metrics of all live workers. */
  metrics(): Promise<unknown[]>;
  /** Whether any http worker still answers the primary. */
  answers(): Promise<boolean>;
  /** Where the http workers serve, and with which engine. */
  served(): Served | undefined;
}

export interface SupervisorOptions {
  readonly config: Config;
  /** The file workers run. */
  readonly entry: string;
  /** The one they run after a replacement. */
  readonly replacementEntry: () => Promise<string>;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly onCrashLoop: (worker: string) => void;
}

/** Keeps the cluster of one node alive (spec of the processes: docs/architecture.md). */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { config, log } = options;
  cluster.setupPrimary({
    exec: options.entry,
    args: [],
    silent: false,
  });
  const slots: Slot[] = [];
  const storesPrepared = Promise.withResolvers<Findings>();
  const othersServe = Promise.withResolvers<void>();
  const add = (kind: WorkerKind, count: number): void => {
    for (let slot = 0; slot < count; slot++) {
      slots.push(
        new Slot({
          kind,
          slot,
          environment: options.environment,
          shutdownTimeoutMs: config.server.shutdownTimeoutMs,
          log,
          // A hash needs no store.
          storesPrepared: kind === "hashing" ? Promise.resolve({}) : storesPrepared.promise,
          othersServe: othersServe.promise,
          onCrashLoop: (failed) => options.onCrashLoop(failed.name),
        }),
      );
    }
  };
  add("hashing", config.server.hashingWorkers);
  add("management", config.server.managementWorkers);
  add("http", config.server.httpWorkers);
  add("jobs", 1);
  const ofKind = (...kinds: WorkerKind[]): Slot[] => slots.filter((slot) => kinds.includes(slot.kind));

  const launch = (...kinds: WorkerKind[]): Promise<unknown> =>
    Promise.all(ofKind(...kinds).map((slot) => slot.launch()));
  let forked: Promise<unknown> | undefined;
  let rolling: Promise<void> | undefined;
  const started = Promise.withResolvers<void>();
  let requests = 0;

  const askMetrics = (slot: Slot, timeoutMs: number): Promise<unknown> =>
    new Promise((resolve) => {
      const worker = slot.worker;
      if (worker === undefined || !worker.isConnected()) return resolve(undefined);
      const id = ++requests;
      const done = (data: unknown): void => {
        clearTimeout(timer);
        worker.off("message", listener);
        resolve(data);
      };
      const listener = (message: unknown): void => {
        if (isToPrimary(message) && message.type === "metrics" && message.id === id) done(message.data);
      };
      const timer = setTimeout(() => done(undefined), timeoutMs);
      worker.on("message", listener);
      const question: ToWorker = { type: "metrics", id };
      worker.send(question);
    });

  return {
    fork() {
      const needed = launch("hashing", "management").then(() => othersServe.resolve());
      forked = Promise.all([needed, launch("http")]);
      forked.catch(() => undefined);
    },
    async start(findings) {
      storesPrepared.resolve(findings);
      await forked;
      // Nobody waits for them, and the others need all cores to be there soon.
      await launch("jobs");
      started.resolve();
    },
    roll() {
      rolling ??= (async () => {
        try {
          await started.promise;
          cluster.setupPrimary({ exec: await options.replacementEntry() });
          for (const slot of slots) {
            await slot.replace();
            log.info({ slot: slot.name }, "worker replaced");
          }
        } finally {
          rolling = undefined;
        }
      })();
      return rolling;
    },
    async stop() {
      await Promise.all(ofKind("http").map((slot) => slot.stop()));
      await Promise.all(ofKind("management", "jobs").map((slot) => slot.stop()));
      await Promise.all(ofKind("hashing").map((slot) => slot.stop()));
    },
    async metrics() {
      const parts = await Promise.all(slots.map((slot) => askMetrics(slot, metricsTimeoutMs)));
      return parts.filter((part) => part !== undefined);
    },
    async answers() {
      const answer = async (slot: Slot) => {
        if ((await askMetrics(slot, hungMs)) === undefined) throw new Error(`${slot.name} does not answer`);
        return true;
      };
      return Promise.any(ofKind("http").map(answer)).catch(() => false);
    },
    served: () => ofKind("http").find((slot) => slot.served !== undefined)?.served,
  };
}
