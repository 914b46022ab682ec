import type { ClientConfig } from "pg";
import type { Log } from "../log/port.ts";
import type { Random } from "../random.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Bus } from "./port.ts";
import { createPostgresBus } from "./postgres.ts";
import { createRedisBus } from "./redis.ts";

export type { Bus } from "./port.ts";

/** The bus over Redis, or over LISTEN/NOTIFY when no Redis is configured (development). */
export function createBus(
  backend: {
    readonly redis: RedisConnection | undefined;
    readonly postgres: ClientConfig;
    /** Database schema of the deployment. */
    readonly schema: string;
  },
  log: Log,
  random: Random,
  options: { readonly name: string },
): Bus {
  return backend.redis === undefined
    ? createPostgresBus(backend.postgres, backend.schema, log, random)
    : createRedisBus(backend.redis, log, random, options);
}
