import type { Config } from "../src/config/config.ts";
import { isAuthError } from "../src/contract/errors/index.ts";
import type { Log } from "../src/platform/log/port.ts";
import { isDatabaseAway, reachableClientConfig } from "../src/platform/postgres/index.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { assertRedisUsable } from "../src/platform/redis/requirements.ts";
import { patiently } from "./patience.ts";

/** How long the start waits for a store that does not answer, milliseconds. */
const longestWaitMs = 30_000;

/**
 * Waits until PostgreSQL answers, and outside development Redis too, which must be of a version that can carry our state. In development
 * the server starts without its Redis and is not ready until that is there.
 *
 * @throws Error that names the store which has not answered for half a minute, or what keeps it from being used
 */
export async function awaitStores(config: Config, log: Log, longestMs = longestWaitMs): Promise<void> {
  await answering("PostgreSQL (DB_URL)", { log, longestMs }, () => reachableClientConfig(config.database));
  if (config.redis === undefined || config.environment.class === "development") return;
  const redis = connectRedis(config.redis, log, { name: "authkit-primary" });
  try {
    await answering("Redis (AUTHKIT_REDIS_URL)", { log, longestMs }, () => assertRedisUsable(redis));
  } finally {
    await redis.close();
  }
}

async function answering(
  store: string,
  patience: { readonly log: Log; readonly longestMs: number },
  step: () => Promise<unknown>,
): Promise<void> {
  try {
    await patiently(patience, step);
  } catch (error) {
    if (!isAuthError(error, "service_unavailable") && !isDatabaseAway(error)) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(`${store} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause: error,
    });
  }
}
