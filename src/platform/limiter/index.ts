import type { Database } from "../postgres/port.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { RateLimiter } from "./port.ts";
import { createPostgresRateLimiter } from "./postgres.ts";
import { createRedisRateLimiter } from "./redis.ts";

export type { LimitCheck, LimitDecision, LimitRule, RateLimiter } from "./port.ts";
export { sweepRateLimits } from "./postgres.ts";

/** The limiter over Redis, or over PostgreSQL when no Redis is configured (development). */
export function createRateLimiter(backend: {
  readonly redis: RedisConnection | undefined;
  readonly database: Database;
}): RateLimiter {
  return backend.redis === undefined
    ? createPostgresRateLimiter(backend.database)
    : createRedisRateLimiter(backend.redis);
}
