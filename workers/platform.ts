import type { Config } from "../src/config/config.ts";
import type { Platform } from "../src/core/platform.ts";
import { createBus } from "../src/platform/bus/index.ts";
import { connectChannel } from "../src/platform/channel/index.ts";
import { systemClock } from "../src/platform/clock.ts";
import { createEphemeralStore } from "../src/platform/ephemeral/index.ts";
import { createPasswordHasher } from "../src/platform/hashing/client.ts";
import type { PasswordHasher } from "../src/platform/hashing/port.ts";
import { createRateLimiter } from "../src/platform/limiter/index.ts";
import type { Log } from "../src/platform/log/port.ts";
import type { ProcessMetrics } from "../src/platform/metrics/prometheus.ts";
import { createOutbound } from "../src/platform/outbound/undici.ts";
import { createDatabase, postgresClientConfig } from "../src/platform/postgres/index.ts";
import { createJobQueue } from "../src/platform/queue/index.ts";
import { systemRandom } from "../src/platform/random.ts";
import { connectRedis, type RedisConnection } from "../src/platform/redis/connection.ts";
import type { Tracing } from "../src/platform/tracing/port.ts";
import { hashingSockets } from "./sockets.ts";

export { hashingSockets, managementSockets } from "./sockets.ts";

/** A platform and the means to take it down. */
export interface RunningPlatform extends Platform {
  readonly redis: RedisConnection | undefined;
  close(): Promise<void>;
}

export interface PlatformOptions {
  /** Name of the process, shown in logs, in `pg_stat_activity` and in Redis' client list. */
  readonly name: string;
  readonly log: Log;
  readonly metrics: ProcessMetrics;
  readonly tracing?: Tracing | undefined;
  /** Connections of this process's pool. */
  readonly poolMax?: number | undefined;
  /** In place of the hashing processes. */
  readonly hasher?: PasswordHasher | undefined;
}

/** Connects a worker to the outside world. */
export function createPlatform(config: Config, options: PlatformOptions): RunningPlatform {
  const { log, metrics, name, tracing } = options;
  const database = createDatabase(config.database, log, metrics, {
    applicationName: `authkit ${name}`,
    poolMax: options.poolMax,
    tracing,
  });
  const redis =
    config.redis === undefined ? undefined : connectRedis(config.redis, log, { name: `authkit-${name}` });
  const bus = createBus(
    { redis, postgres: postgresClientConfig(config.database), schema: database.schema },
    log,
    systemRandom,
    { name: `authkit-${name}-bus` },
  );
  const hasher =
    options.hasher ??
    createPasswordHasher(config, connectChannel(hashingSockets(config)), { log, metrics, tracing });
  const queue = createJobQueue(database, log);
  const outbound = createOutbound({ allowPrivate: config.environment.class === "development", tracing });
  return {
    config,
    database,
    ephemeral: createEphemeralStore({ redis, database }),
    limiter: createRateLimiter({ redis, database }),
    bus,
    hasher,
    queue,
    outbound,
    clock: systemClock,
    random: systemRandom,
    log,
    metrics,
    redis,
    async close() {
      await Promise.allSettled([
        hasher.close(),
        queue.close(),
        outbound.close(),
        bus.close(),
        redis?.close(),
      ]);
      await database.close();
    },
  };
}
