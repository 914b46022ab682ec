import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { unlimited } from "../support/faulty.ts";
import { registers } from "../support/journey.ts";
import { onlyOutage, startLoad } from "../support/load.ts";
import { lostOf, until } from "../support/outcome.ts";
import { createTestDatabase } from "../support/postgres.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let toPostgres: FaultProxy;
let toRedis: FaultProxy;
let cluster: TestCluster;

beforeAll(async () => {
  database = await createTestDatabase(inject("postgresUrl"));
  const url = new URL(database.url);
  toPostgres = await startFaultProxy(Number(url.port));
  toRedis = await startFaultProxy(Number(new URL(inject("redisUrl")).port));
  url.port = String(toPostgres.port);
  cluster = await startCluster({
    databaseUrl: url.href,
    env: { AUTHKIT_CONFIG: await unlimited(), AUTHKIT_REDIS_URL: `redis://127.0.0.1:${toRedis.port}` },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await Promise.all([toPostgres?.stop(), toRedis?.stop()]);
  await database?.drop();
});

describe("connections that the network forgot, under load", () => {
  test.each<[string, () => FaultProxy, number]>([
    ["PostgreSQL", () => toPostgres, 4_000],
    ["Redis", () => toRedis, 4_000],
  ])("to %s: replaced within seconds, nothing acknowledged is lost", async (...row) => {
    const [, proxy, limitMs] = row;
    const load = await startLoad(cluster);
    await until("load is under way", 20, () => load.acknowledged.length > 10 && load.created.length > 10);
    expect(proxy().live()).toBeGreaterThan(2);
    proxy().forget();
    const forgotten = performance.now();
    const seen = { registered: load.acknowledged.length, created: load.created.length };
    await until("every kind of request succeeds again", 20, () => {
      return load.acknowledged.length > seen.registered + 10 && load.created.length > seen.created + 10;
    });
    expect(performance.now() - forgotten).toBeLessThan(limitMs);
    await load.stop();
    onlyOutage(load);
    expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
  });

  test("all of them while nothing happens: the first request afterwards is late at most", async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    toPostgres.forget();
    toRedis.forget();
    const started = performance.now();
    await until("service", 15, () => registers(cluster));
    // One after the other: Redis' three seconds, then the database's.
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});
