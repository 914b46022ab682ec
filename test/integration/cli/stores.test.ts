import { expect, inject, test } from "vitest";
import { silentLog } from "../../../src/platform/log/port.ts";
import { awaitStores } from "../../../workers/stores.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";
import { freePort } from "../../support/ports.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { startTestRedis } from "../../support/redis.ts";

const production: ConfigOverrides = {
  environment: { name: "production", class: "production", explicit: true },
};

test("a database that does not answer is waited for, then named with the cause", async () => {
  const config = testConfig({ databaseUrl: "postgres://nobody@127.0.0.1:1/none" });
  const started = performance.now();
  await expect(awaitStores(config, silentLog, 700)).rejects.toThrow(
    /^PostgreSQL \(DB_URL\) does not answer: .*ECONNREFUSED/,
  );
  expect(performance.now() - started).toBeGreaterThan(250);
});

test("Redis is waited for outside development alone, and found when it comes", async () => {
  const database = await createTestDatabase(inject("postgresUrl"));
  const port = await freePort();
  const servers = { databaseUrl: database.url, redisUrl: `redis://127.0.0.1:${port}/0` };
  try {
    await awaitStores(testConfig(servers), silentLog, 700);
    const config = testConfig(servers, production);
    await expect(awaitStores(config, silentLog, 700)).rejects.toThrow(
      "Redis (AUTHKIT_REDIS_URL) does not answer",
    );
    const waiting = awaitStores(config, silentLog, 10_000);
    const redis = await startTestRedis({ port });
    try {
      await waiting;
    } finally {
      await redis.stop();
    }
  } finally {
    await database.drop();
  }
});

test("what waiting does not mend is refused at once", async () => {
  const url = new URL(inject("postgresUrl"));
  url.pathname = "/there_is_no_such_database";
  const started = performance.now();
  await expect(awaitStores(testConfig({ databaseUrl: url.href }), silentLog, 10_000)).rejects.toThrow(
    "there_is_no_such_database",
  );
  expect(performance.now() - started).toBeLessThan(5_000);
});
