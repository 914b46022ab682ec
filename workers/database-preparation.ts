import type { Config } from "../src/config/config.ts";
import { prepareGroups } from "../src/core/groups/index.ts";
import { label, migrateUp, migrationStatus } from "../src/core/schema/index.ts";
import { queueDefinitions } from "../src/jobs/queues.ts";
import { systemClock } from "../src/platform/clock.ts";
import type { Log } from "../src/platform/log/port.ts";
import type { Metrics } from "../src/platform/metrics/port.ts";
import {
  assertPreparedStatements,
  createDatabase,
  reachableClientConfig,
} from "../src/platform/postgres/index.ts";
import { migrateQueue, preloadQueueMigration, queueInstalled } from "../src/platform/queue/index.ts";
import { systemRandom } from "../src/platform/random.ts";

/** Brings the job queue's own tables up to date; after the migrations. */
export async function migrateQueues(config: Config, log: Log): Promise<void> {
  await migrateQueue({
    connection: await reachableClientConfig(config.database),
    schema: config.database.schema,
    queues: queueDefinitions,
    log,
  });
}

/**
 * Makes sure the tables are those of this release before anything serves: migrates in development and where the operator asked for it, refuses
 * otherwise. Then the root group and the declared personas are made known.
 *
 * @throws Error that names the pending migrations and the command, or what a pooler in between lacks
 */
export async function prepareDatabase(
  config: Config,
  tools: { readonly log: Log; readonly metrics: Metrics },
): Promise<void> {
  const database = createDatabase({ ...config.database, poolMin: 0 }, tools.log, tools.metrics, {
    applicationName: "authkit primary",
    poolMax: 2,
  });
  try {
    await assertPreparedStatements(config.database);
    const migrate = config.database.migrateOnStart || config.environment.class === "development";
    const status = await migrationStatus(database);
    const pending = status.pending.map(label);
    if (status.newer.length > 0)
      tools.log.warn(
        { newer: status.newer.map(label) },
        "the schema is a newer release's: only the release directly before that one is promised to work on it",
      );
    if (!migrate && pending.length > 0) {
      throw new Error(
        `the database lacks ${pending.length} migration(s) (${pending.join(", ")}): run \`authkit-server migrate\`, or set AUTHKIT_MIGRATE_ON_START=true`,
      );
    }
    if (migrate && pending.length > 0)
      await Promise.all([migrateUp(database, tools.log), preloadQueueMigration()]);
    if (migrate && (pending.length > 0 || !(await queueInstalled(database))))
      await migrateQueues(config, tools.log);
    await prepareGroups({ config, database, clock: systemClock, random: systemRandom, log: tools.log });
  } finally {
    await database.close();
  }
}
