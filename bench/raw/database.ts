import { setTimeout as delay } from "node:timers/promises";
import type { DatabaseConfig } from "../../src/config/config.ts";
import { silentLog } from "../../src/platform/log/port.ts";
import { createMetrics } from "../../src/platform/metrics/prometheus.ts";
import { createDatabase } from "../../src/platform/postgres/index.ts";
import type { Database } from "../../src/platform/postgres/port.ts";
import { schema } from "../schema.ts";

/** The server's own driver without the server: what statements cost by themselves. */
export async function openDatabase(url: string, poolMax: number): Promise<Database> {
  const config: DatabaseConfig = {
    url,
    schema,
    poolMax,
    poolMin: poolMax,
    idleTimeoutMs: 60_000,
    maxLifetimeMs: 600_000,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 30_000,
    preparedStatements: true,
    migrateOnStart: false,
  };
  const database = createDatabase(config, silentLog, createMetrics("bench"), { applicationName: "bench" });
  await delay(300);
  return database;
}

/** Arguments of a raw program, or an explanation of what it wants. */
export function programArguments(usage: string, count: number): readonly string[] {
  const args = process.argv.slice(2);
  if (args.length !== count) throw new Error(`usage: ${usage}`);
  return args;
}
