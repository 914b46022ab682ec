import type { Database } from "../postgres/port.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { EphemeralStore } from "./port.ts";
import { createPostgresEphemeralStore } from "./postgres.ts";
import { createRedisEphemeralStore } from "./redis.ts";

export type { EphemeralStore } from "./port.ts";
export { sweepEphemeral } from "./postgres.ts";

/** The store over Redis, or over PostgreSQL when no Redis is configured (development). */
export function createEphemeralStore(backend: {
  readonly redis: RedisConnection | undefined;
  readonly database: Database;
}): EphemeralStore {
  return backend.redis === undefined
    ? createPostgresEphemeralStore(backend.database)
    : createRedisEphemeralStore(backend.redis);
}
