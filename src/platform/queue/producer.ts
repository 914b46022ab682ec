import type { PgBoss, SendOptions } from "pg-boss";
import { AuthError } from "../../contract/errors/index.ts";
import type { Log } from "../log/port.ts";
import type { Database } from "../postgres/port.ts";
import { systemRandom } from "../random.ts";
import { preparedBossDatabase } from "./boss-database.ts";
import type { JobQueue } from "./port.ts";
import { queueSchema } from "./schema.ts";

/**
 * The sending side: no connections of its own, no supervision, no migrations. Jobs go through the caller's transaction when one is
 * given. Queues must exist (see `migrateQueue`).
 */
export function createJobQueue(database: Database, log: Log): JobQueue {
  const through = preparedBossDatabase();
  let started: Promise<PgBoss> | undefined;

  /** Loads the library with the first job: a worker that sends none is spared its memory. */
  async function start(): Promise<PgBoss> {
    const library = await import("pg-boss");
    const boss = new library.PgBoss({
      db: through(database),
      schema: queueSchema(database.schema),
      migrate: false,
      createSchema: false,
      supervise: false,
      schedule: false,
      registerInstance: false,
      openTelemetry: { enabled: false },
    });
    boss.on("error", (error) => log.error({ err: error }, "job queue"));
    return boss.start();
  }

  /** Reads the queues' settings once, at the first job; a failure is tried again with the next one. */
  async function ready(): Promise<PgBoss> {
    started ??= start();
    try {
      return await started;
    } catch (error) {
      started = undefined;
      throw error instanceof AuthError
        ? error
        : new AuthError("service_unavailable", { retryAfter: 1, cause: error });
    }
  }

  return {
    async enqueue(queue, payload, options = {}) {
      const boss = await ready();
      const sendOptions: SendOptions = {
        // Every job has a key, because of jobs with equal keys only one is alive.
        singletonKey: options.key ?? systemRandom.uuid(),
        ...(options.startAfter === undefined ? {} : { startAfter: options.startAfter }),
        ...(options.expireInSeconds === undefined
          ? {}
          : { retentionSeconds: Math.max(1, Math.ceil(options.expireInSeconds)) }),
        ...(options.retryLimit === undefined ? {} : { retryLimit: options.retryLimit }),
        ...(options.tx === undefined ? {} : { db: through(options.tx) }),
      };
      await boss.send(queue, payload, sendOptions);
    },
    async holds(queue, key) {
      const boss = await ready();
      return (await boss.findJobs(queue, { key, limit: 1 })).length > 0;
    },
    async close() {
      const boss = await started?.catch(() => undefined);
      await boss?.stop({ graceful: false, close: false });
    },
  };
}
