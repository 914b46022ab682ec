import type { Core } from "../core/index.ts";
import type { Platform } from "../core/platform.ts";
import { pendingMigrations } from "../core/schema/index.ts";
import type { RedisConnection } from "../platform/redis/connection.ts";
import type { ReadinessCheck } from "./health.ts";

/**
 * What this process needs to answer requests: the database, its migrations, a signing key, and Redis where it is configured. Migrations are looked at
 * until they are complete once; they do not go away under a running server.
 */
export function readinessChecks(
  platform: Platform & { readonly redis: RedisConnection | undefined },
  core: Core,
): Readonly<Record<string, ReadinessCheck>> {
  const { config, database, redis } = platform;
  let migrated = false;
  return {
    async database() {
      await database.ping();
      return undefined;
    },
    async migrations() {
      if (migrated) return undefined;
      const pending = await pendingMigrations(database);
      migrated = pending.length === 0;
      return migrated ? undefined : `pending: ${pending.join(", ")}; run \`authkit-server migrate\``;
    },
    async signing_key() {
      return core.keyRing.current().active === undefined && !config.keys.verifyOnly
        ? "no active key"
        : undefined;
    },
    ...(redis === undefined
      ? {}
      : {
          async redis() {
            await redis.ping();
            return undefined;
          },
        }),
  };
}
