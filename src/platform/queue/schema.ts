import type { ClientConfig } from "pg";
import type { ConstructorOptions, PgBoss } from "pg-boss";
import type { Log } from "../log/port.ts";
import { type Database, sql } from "../postgres/port.ts";

/** How to reach the database, as pg's client takes it. A transaction pooler in between is fine. */
export type QueueConnection = Pick<
  ClientConfig,
  "connectionString" | "host" | "port" | "user" | "password" | "database" | "ssl" | "options"
>;

/** pg-boss tells a setting that is undefined from one that is absent. */
export function bossConnection(connection: QueueConnection): ConstructorOptions {
  const { connectionString, host, port, user, password, database, ssl, options } = connection;
  return {
    ...(connectionString === undefined ? {} : { connectionString }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(typeof password === "string" || typeof password === "function" ? { password } : {}),
    ...(database === undefined ? {} : { database }),
    ...(ssl === undefined ? {} : { ssl }),
    ...(options === undefined ? {} : { options }),
  };
}

/** A queue as both sides agree on it. */
export interface QueueDefinition {
  readonly name: string;
  /** Attempts after the first; default 5. */
  readonly retryLimit?: number;
  /** Seconds before the first retry, doubling afterwards; default 5. */
  readonly retryDelaySeconds?: number;
  /** Longest pause between attempts; default 900 s. */
  readonly retryDelayMaxSeconds?: number;
  /** Seconds one attempt may take; default 300. */
  readonly timeoutSeconds?: number;
  /** Seconds an unprocessed job is kept; default one day. */
  readonly retentionSeconds?: number;
}

export interface QueueMigration {
  readonly connection: QueueConnection;
  /** Schema of the deployment; the queue's tables live beside it. */
  readonly schema: string;
  readonly queues: readonly QueueDefinition[];
  readonly log: Log;
}

/** Name of the schema with the queue's tables. */
export function queueSchema(schema: string): string {
  return `${schema}_jobs`;
}

const installed = sql("queue.installed", () => "SELECT 1 FROM pg_namespace WHERE nspname = $1");

/** Whether the queue's tables have been made at all. */
export async function queueInstalled(database: Database): Promise<boolean> {
  return (await database.row(installed, [queueSchema(database.schema)])) !== undefined;
}

const loadLibrary = () => import("pg-boss");

/** Loads what {@link migrateQueue} runs, for callers that have to wait for something else first. */
export async function preloadQueueMigration(): Promise<void> {
  await loadLibrary();
}

/** Installs or upgrades the queue's tables and brings the queues to their definitions. Safe to run again and while others serve. */
export async function migrateQueue(migration: QueueMigration): Promise<void> {
  const library = await loadLibrary();
  const boss = new library.PgBoss({
    ...bossConnection(migration.connection),
    schema: queueSchema(migration.schema),
    max: 2,
    application_name: "authkit migrate",
    supervise: false,
    schedule: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
  });
  boss.on("error", (error) => migration.log.error({ err: error }, "queue migration"));
  await boss.start();
  try {
    for (const queue of migration.queues) await defineQueue(boss, queue);
    await backgroundMigrations(boss);
  } finally {
    await boss.stop({ graceful: true, timeout: 5_000 });
  }
}

/** A job whose worker gave no sign of life for so long is given to another: the least the library allows. */
const heartbeatSeconds = 10;

/** Creates the queue, or brings an existing one to its definition. */
export async function defineQueue(boss: PgBoss, queue: QueueDefinition): Promise<void> {
  const options = {
    retryLimit: queue.retryLimit ?? 5,
    retryDelay: queue.retryDelaySeconds ?? 5,
    retryDelayMax: queue.retryDelayMaxSeconds ?? 900,
    retryBackoff: true,
    expireInSeconds: queue.timeoutSeconds ?? 300,
    heartbeatSeconds,
    retentionSeconds: queue.retentionSeconds ?? 86_400,
    // Enough to see what happened; payloads do not lie around longer.
    deleteAfterSeconds: 3_600,
  };
  // `exclusive`: of the jobs with one key only one is alive at a time.
  if ((await boss.getQueue(queue.name)) === null)
    await boss.createQueue(queue.name, { ...options, policy: "exclusive" });
  else await boss.updateQueue(queue.name, options);
}

/** Index builds of an upgrade run in the background of the instance that migrated: they must not be cut off. */
async function backgroundMigrations(boss: PgBoss): Promise<void> {
  const deadline = performance.now() + 600_000;
  while (performance.now() < deadline) {
    const open = (await boss.getBamStatus()).some(
      ({ status }) => status === "pending" || status === "in_progress",
    );
    if (!open) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
