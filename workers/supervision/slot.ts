import cluster, { type Worker } from "node:cluster";
import type { Log } from "../../src/platform/log/port.ts";
import { workerEnvironment, workerFlags } from "./footprint.ts";
import {
  type Findings,
  identityVariable,
  isToPrimary,
  type Served,
  type ToWorker,
  type WorkerKind,
} from "./messages.ts";

/** First wait before a crashed worker is started again; doubles with each crash in a row. */
const firstDelayMs = 100;
const longestDelayMs = 15_000;
/** A worker that lived this long counts as healthy: the next crash starts the series anew. */
const healthyAfterMs = 60_000;
/** Wait before the successor of a worker that was killed while it started. */
const killedDelayMs = 500;
/** This many crashes in a row without a healthy life between them are a loop nothing here will mend. */
const crashLoop = 8;
/** A worker that is not ready by then has hung at start. */
const startTimeoutMs = 60_000;

export interface SlotOptions {
  readonly kind: WorkerKind;
  readonly slot: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly shutdownTimeoutMs: number;
  readonly log: Log;
  /** Resolves when the stores are as a worker of this kind needs them, with what it needs to know. */
  readonly storesPrepared: Promise<Findings>;
  /** Resolves when those whom a worker of this kind needs serve. */
  readonly othersServe: Promise<void>;
  /** The slot crashed so often in a row that the whole program should end. */
  readonly onCrashLoop: (slot: Slot) => void;
}

/** The worker was killed before it served: by somebody or by the kernel, not by its own mistake. */
class KilledAtStart extends Error {
  override readonly name = "KilledAtStart";
}

/** Whether somebody or the kernel ended a worker; its own mistakes end in an exit code or in another signal. */
const isKill = (signal: string | null): boolean => signal === "SIGKILL";

function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}

/** One place in the cluster: keeps a worker of its kind alive, and replaces it without a gap when asked to. */
export class Slot {
  readonly name: string;
  readonly kind: WorkerKind;
  /** Reported by the worker, for http workers. */
  served: Served | undefined;
  #options: SlotOptions;
  #current: Worker | undefined;
  #startedAt = 0;
  #crashes = 0;
  #stopping = false;
  /** The current worker has served. */
  #serving = false;
  /** Some worker of this slot has. */
  #hasServed = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #served = Promise.withResolvers<void>();

  constructor(options: SlotOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.name = `${options.kind}:${options.slot}`;
  }

  get worker(): Worker | undefined {
    return this.#current;
  }

  /**
   * Forks the worker and resolves when it, or the successor of one that was killed, serves; rejects when it fails or hangs before that: at
   * the first start that is a mistake of configuration, which no repetition mends.
   */
  async launch(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      if (!(error instanceof KilledAtStart)) throw error;
      await this.#served.promise;
    }
  }

  async #start(): Promise<void> {
    const worker = this.#fork();
    this.#current = worker;
    this.#serving = false;
    this.#startedAt = performance.now();
    try {
      await this.#ready(worker);
      this.#serving = true;
      this.#hasServed = true;
      this.#served.resolve();
    } catch (error) {
      worker.process.kill("SIGKILL");
      throw error;
    }
  }

  /** Starts a successor, waits until it serves, then drains the old one. */
  async replace(): Promise<void> {
    const old = this.#current;
    const successor = this.#fork();
    try {
      await this.#ready(successor);
    } catch (error) {
      successor.process.kill("SIGKILL");
      throw error;
    }
    this.#current = successor;
    this.#serving = true;
    this.#hasServed = true;
    this.#startedAt = performance.now();
    if (old !== undefined) await this.#drain(old);
  }

  /** Drains and ends the worker; it is not started again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const worker = this.#current;
    if (worker !== undefined && !worker.isDead()) await this.#drain(worker);
  }

  #fork(): Worker {
    cluster.setupPrimary({ execArgv: [...process.execArgv, ...workerFlags(this.kind)] });
    const worker = cluster.fork({
      ...workerEnvironment,
      ...this.#options.environment,
      [identityVariable]: this.name,
    });
    worker.on("exit", (code, signal) => this.#exited(worker, code, signal));
    return worker;
  }

  #ready(worker: Worker): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const startTimer = (): void => {
        clearTimeout(timer);
        timer = setTimeout(
          () => reject(new Error(`${this.name} did not start within ${startTimeoutMs / 1000} s`)),
          startTimeoutMs,
        );
      };
      // What a worker waits for has time-outs of its own.
      const answerAfter = <T>(others: Promise<T>, answer: (result: T) => ToWorker): void => {
        clearTimeout(timer);
        void others.then((result) => {
          if (worker.isDead()) return;
          startTimer();
          tell(worker, answer(result));
        });
      };
      startTimer();
      worker.on("message", (message: unknown) => {
        if (!isToPrimary(message)) return;
        const { storesPrepared, othersServe } = this.#options;
        if (message.type === "waiting") startTimer();
        if (message.type === "loaded")
          answerAfter(storesPrepared, (findings) => ({ type: "begin", findings }));
        if (message.type === "prepared") answerAfter(othersServe, () => ({ type: "serve" }));
        if (message.type !== "ready") return;
        clearTimeout(timer);
        if (message.served !== undefined) this.served = message.served;
        resolve();
      });
      worker.once("exit", (code, signal) => {
        clearTimeout(timer);
        reject(
          signal
            ? new KilledAtStart(`${this.name} was killed by ${signal} before it was ready`)
            : new Error(`${this.name} ended with code ${code} before it was ready`),
        );
      });
    });
  }

  async #drain(worker: Worker): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (worker.isDead()) resolve();
      else worker.once("exit", () => resolve());
    });
    tell(worker, { type: "drain" });
    const timer = setTimeout(() => {
      this.#options.log.warn(
        { slot: this.name, pid: worker.process.pid },
        "worker did not drain in time and is ended",
      );
      worker.process.kill("SIGKILL");
    }, this.#options.shutdownTimeoutMs + 2_000);
    await gone;
    clearTimeout(timer);
  }

  #exited(worker: Worker, code: number | null, signal: string | null): void {
    if (worker !== this.#current || this.#stopping) return;
    if (performance.now() - this.#startedAt >= healthyAfterMs) this.#crashes = 0;
    // One that was killed made no mistake that its successor would repeat, so it does not count; but where none has ever served, there may be
    // too little memory for any.
    const killed = this.#hasServed && isKill(signal);
    if (!killed) this.#crashes += 1;
    this.#current = undefined;
    const { log, onCrashLoop } = this.#options;
    if (this.#crashes >= crashLoop) {
      log.fatal(
        { slot: this.name, exit_code: code, signal, crashes: this.#crashes },
        "worker crashes again and again",
      );
      onCrashLoop(this);
      return;
    }
    // The first crash is answered at once: most are isolated, and every moment without a worker refuses connections.
    const series =
      this.#crashes === 1 ? 0 : Math.min(firstDelayMs * 2 ** (this.#crashes - 2), longestDelayMs);
    const afterKill = this.#serving ? 0 : killedDelayMs;
    const delay = killed ? afterKill : series;
    log.error(
      { slot: this.name, exit_code: code, signal, crashes: this.#crashes, restart_in_ms: delay },
      "worker died; starting another",
    );
    this.#timer = setTimeout(() => {
      if (this.#stopping) return;
      this.#start().catch((error: unknown) =>
        log.error({ slot: this.name, err: error }, "worker could not be started"),
      );
    }, delay);
  }
}
