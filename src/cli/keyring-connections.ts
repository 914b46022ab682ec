import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { createBus } from "../platform/bus/index.ts";
import type { Log } from "../platform/log/port.ts";
import type { Metrics } from "../platform/metrics/port.ts";
import { createDatabase, postgresClientConfig, startEmbeddedPostgres } from "../platform/postgres/index.ts";
import { systemRandom } from "../platform/random.ts";
import { connectRedis } from "../platform/redis/connection.ts";
import type { KeyringConnections } from "./keys-context.ts";

/** Connects to PostgreSQL and the bus of a deployment; starts the embedded database when that is the one configured. */
export async function connectKeyring(
  config: Config,
  log: Log,
  metrics: Metrics,
): Promise<KeyringConnections> {
  const embedded =
    config.database.url === "embedded"
      ? await startEmbeddedPostgres({ directory: join(config.stateDirectory, "postgres"), log })
      : undefined;
  const settings = { ...config.database, url: embedded?.url ?? config.database.url, poolMin: 0 };
  const database = createDatabase(settings, log, metrics, { applicationName: "authkit keys", poolMax: 2 });
  const redis =
    config.redis === undefined ? undefined : connectRedis(config.redis, log, { name: "authkit-keys" });
  const bus = createBus(
    { redis, postgres: postgresClientConfig(settings), schema: database.schema },
    log,
    systemRandom,
    {
      name: "authkit-keys-bus",
    },
  );
  return {
    database,
    bus,
    async close() {
      await bus.close();
      await redis?.close();
      await database.close();
      await embedded?.stop();
    },
  };
}
