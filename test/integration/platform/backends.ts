import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import type { DatabaseConfig, RedisConfig } from "../../../src/config/config.ts";
import { type Log, silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { createDatabase } from "../../../src/platform/postgres/index.ts";
import { type Database, sql } from "../../../src/platform/postgres/port.ts";
import { connectRedis, type RedisConnection } from "../../../src/platform/redis/connection.ts";
import { testConfig } from "../../support/config.ts";
import { createTestDatabase } from "../../support/postgres.ts";

export interface TestDatabase {
  readonly database: Database;
  readonly config: DatabaseConfig;
  readonly url: string;
  drop(): Promise<void>;
}

const createSchema = sql("test.createSchema", (s) => `CREATE SCHEMA IF NOT EXISTS ${s}`);
const createEphemeral = sql(
  "test.createEphemeral",
  (s) => `CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.ephemeral (
  key text PRIMARY KEY, value text NOT NULL, expires_at timestamptz NOT NULL)`,
);
const createRateLimits = sql(
  "test.createRateLimits",
  (s) => `CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.rate_limits (
  key text PRIMARY KEY, hits timestamptz[] NOT NULL, expires_at timestamptz NOT NULL)`,
);

/** A database of its own with the two tables the platform keeps short-lived state in. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const { url, drop } = await createTestDatabase(inject("postgresUrl"));
  const config = testConfig({ databaseUrl: url }).database;
  const database = createDatabase(config, silentLog, createMetrics("test"), {
    applicationName: "authkit test",
    poolMax: 16,
  });
  for (const statement of [createSchema, createEphemeral, createRateLimits]) await database.run(statement);
  return {
    database,
    config,
    url,
    async drop() {
      await database.close();
      await drop();
    },
  };
}

export function testRedisConfig(url: string = inject("redisUrl")): RedisConfig {
  const { redis } = testConfig({ redisUrl: url, redisKeyPrefix: `t${randomBytes(6).toString("hex")}:` });
  if (redis === undefined) throw new Error("no Redis configured");
  return redis;
}

export function openTestRedis(url?: string, log: Log = silentLog): RedisConnection {
  return connectRedis(testRedisConfig(url), log, { name: "test" });
}
