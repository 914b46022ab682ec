import type { JobWithMetadata, PgBoss } from "pg-boss";
import type { Log } from "../log/port.ts";
import type { Counter, Histogram, Metrics } from "../metrics/port.ts";
import type { Database } from "../postgres/port.ts";
import type { Tracing } from "../tracing/port.ts";
import { bossDatabase } from "./boss-database.ts";
import { defineQueue, type QueueDefinition, queueSchema } from "./schema.ts";

/** One attempt at a job. */
export interface Job {
  readonly id: string;
  readonly payload: unknown;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Nobody will try again. */
  readonly lastAttempt: boolean;
  /** Seconds from the start of this attempt until the job's time is over, by the database's clock. */
  readonly secondsLeft: number;
  /** Aborts when the attempt runs out of time or the worker is stopped. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface JobDefinition extends QueueDefinition {
  /** Throwing fails the attempt; it is repeated with growing pauses. */
  handle(job: Job): Promise<void>;
  /** Jobs of this queue at once in this process; default 1. */
  readonly concurrency?: number;
  /** Five-field cron expression, UTC: runs the job with an empty payload, once among all nodes. */
  readonly cron?: string;
  /** Seconds between looks into the queue; default 0.5 for queues that are sent to, 5 for scheduled ones. */
  readonly pollSeconds?: number;
}

export interface JobRunnerOptions {
  /** Some of its connections are in use while jobs run. */
  readonly database: Database;
  readonly jobs: readonly JobDefinition[];
  readonly log: Log;
  readonly metrics: Metrics;
  /** Gives each attempt a span. */
  readonly tracing?: Tracing | undefined;
}

export interface JobRunner {
  /** Takes no more jobs, waits for those running, then closes. */
  stop(timeoutMs: number): Promise<void>;
}

interface Instruments {
  readonly jobs: Counter;
  readonly seconds: Histogram;
  readonly tracing: Tracing | undefined;
}

/** How often one of the nodes looks for jobs whose worker died: somebody waits for what they send. */
const orphanCheckSeconds = 10;

/** A worker looks by itself this often, should nobody have woken it. */
const backstopSeconds = 30;

/** Maintenance of a long queue takes its time. */
const statementTimeoutMs = 60_000;

/** Runs jobs: any number of nodes may, each job runs once. The queue's tables must have been migrated. */
export async function startJobRunner(options: JobRunnerOptions): Promise<JobRunner> {
  const { log, metrics } = options;
  const library = await import("pg-boss");
  const boss = new library.PgBoss({
    db: bossDatabase(options.database, { timeoutMs: statementTimeoutMs }),
    schema: queueSchema(options.database.schema),
    migrate: false,
    createSchema: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
    superviseIntervalSeconds: orphanCheckSeconds,
    monitorIntervalSeconds: orphanCheckSeconds,
    maintenanceIntervalSeconds: 300,
    // No job here waits for another.
    flowIntervalSeconds: 300,
    cronWorkerIntervalSeconds: 5,
  });
  boss.on("error", (error) => log.error({ err: error }, "job queue"));
  boss.on("warning", (warning) => log.warn({ warning: warning.message }, "job queue"));
  const instruments: Instruments = {
    jobs: metrics.counter("authkit_jobs_total", "Attempts at jobs", ["queue", "result"]),
    seconds: metrics.histogram("authkit_jobs_seconds", "Duration of attempts at jobs", ["queue"]),
    tracing: options.tracing,
  };
  const timers: NodeJS.Timeout[] = [];
  const stopTimers = (): void => {
    for (const timer of timers) clearInterval(timer);
  };
  try {
    await boss.start();
    for (const job of options.jobs)
      timers.push(await serve(boss, job, log.child({ queue: job.name }), instruments));
    await dropForeignSchedules(boss, options.jobs);
  } catch (error) {
    stopTimers();
    await boss.stop({ graceful: false });
    throw error;
  }
  timers.push(sampleQueues(boss, options));
  return {
    stop: async (timeoutMs) => {
      stopTimers();
      await boss.stop({ graceful: true, timeout: timeoutMs });
    },
  };
}

const sampleMs = 15_000;

/** Every node tells the same numbers, which the library counts once a minute: look at the greatest, not at the sum. */
function sampleQueues(boss: PgBoss, { jobs, log, metrics }: JobRunnerOptions): NodeJS.Timeout {
  const waiting = metrics.gauge("authkit_jobs_waiting", "Jobs that wait for their turn or their time", [
    "queue",
  ]);
  const names = jobs.map(({ name }) => name);
  for (const queue of names) waiting.set(0, { queue });
  const sample = async (): Promise<void> => {
    for (const { name, queuedCount } of await boss.getQueues(names))
      waiting.set(queuedCount, { queue: name });
  };
  const timer = setInterval(() => {
    sample().catch((error: unknown) => log.debug({ err: error }, "queues could not be counted"));
  }, sampleMs);
  return timer.unref();
}

/**
 * Gives a queue its workers. Only one that is free looks into the queue at the queue's interval; the others are woken where it found a job.
 * Eight that all look twice a second would cost an idle node more than everything else it does.
 */
async function serve(
  boss: PgBoss,
  job: JobDefinition,
  log: Log,
  instruments: Instruments,
): Promise<NodeJS.Timeout> {
  await defineQueue(boss, job);
  const free = new Set<string>();
  const wakeOne = (): void => {
    const [id] = free;
    if (id !== undefined) boss.notifyWorker(id);
  };
  for (let slot = 0; slot < (job.concurrency ?? 1); slot++) {
    let id: string | undefined;
    id = await boss.work(
      job.name,
      { includeMetadata: true, batchSize: 1, pollingIntervalSeconds: backstopSeconds },
      async (batch: JobWithMetadata<object>[]) => {
        if (id !== undefined) free.delete(id);
        // Where one job was there may be more: the next worker looks at once, and this one when it is done, so that a full queue is worked
        // off at the speed of the work.
        wakeOne();
        try {
          for (const one of batch) await attempt(job, one, log, instruments);
        } finally {
          if (id !== undefined) {
            free.add(id);
            boss.notifyWorker(id);
          }
        }
      },
    );
    free.add(id);
  }
  if (job.cron !== undefined) await boss.schedule(job.name, job.cron, {}, { tz: "UTC", missed: "once" });
  return setInterval(wakeOne, (job.pollSeconds ?? (job.cron === undefined ? 0.5 : 5)) * 1_000);
}

async function attempt(
  definition: JobDefinition,
  job: JobWithMetadata<object>,
  log: Log,
  instruments: Instruments,
): Promise<void> {
  const { tracing } = instruments;
  if (tracing === undefined) return untracedAttempt(definition, job, log, instruments);
  const attributes = {
    "messaging.system": "pg-boss",
    "messaging.destination.name": definition.name,
    "messaging.operation.type": "process",
  };
  return tracing.span(`process ${definition.name}`, { kind: "consumer", attributes }, () =>
    untracedAttempt(definition, job, log, instruments),
  );
}

async function untracedAttempt(
  definition: JobDefinition,
  job: JobWithMetadata<object>,
  log: Log,
  { jobs, seconds }: Instruments,
): Promise<void> {
  const queue = definition.name;
  // Retention is enforced by maintenance now and then; what a late job carries may be dead already. Both times are the database's.
  const secondsLeft = (job.keepUntil.getTime() - job.startedOn.getTime()) / 1000;
  if (secondsLeft <= 0) {
    jobs.add({ queue, result: "expired" });
    log.info({ jobId: job.id }, "job dropped: its time is over");
    return;
  }
  const lastAttempt = job.retryCount >= job.retryLimit;
  const began = performance.now();
  try {
    await definition.handle({
      id: job.id,
      payload: job.data,
      attempt: job.retryCount + 1,
      lastAttempt,
      secondsLeft,
      signal: job.signal,
      log: log.child({ jobId: job.id }),
    });
    jobs.add({ queue, result: "completed" });
  } catch (error) {
    jobs.add({ queue, result: lastAttempt ? "failed" : "retry" });
    const fields = { jobId: job.id, attempt: job.retryCount + 1, err: error };
    if (lastAttempt) log.error(fields, "job failed for good");
    else log.warn(fields, "job failed and will be tried again");
    // What is thrown on is stored with the job: nothing of the cause may be in it.
    throw new Error(`attempt ${job.retryCount + 1} failed`);
  } finally {
    seconds.observe((performance.now() - began) / 1000, { queue });
  }
}

/** A schedule outlives the version that made it. */
async function dropForeignSchedules(boss: PgBoss, jobs: readonly JobDefinition[]): Promise<void> {
  const scheduled = new Set(jobs.filter((job) => job.cron !== undefined).map((job) => job.name));
  for (const { name, key } of await boss.getSchedules()) {
    if (!scheduled.has(name)) await boss.unschedule(name, key);
  }
}
