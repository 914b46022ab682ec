import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { unlimited } from "../support/faulty.ts";
import { registers } from "../support/journey.ts";
import { onlyOutage, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, until } from "../support/outcome.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let mail: SmtpSink;
let toPostgres: FaultProxy;
let toRedis: FaultProxy;
let cluster: TestCluster;

beforeAll(async () => {
  mail = await startSmtpSink();
  database = await createTestDatabase(inject("postgresUrl"));
  const url = new URL(database.url);
  toPostgres = await startFaultProxy(Number(url.port));
  toRedis = await startFaultProxy(Number(new URL(inject("redisUrl")).port));
  url.port = String(toPostgres.port);
  cluster = await startCluster({
    databaseUrl: url.href,
    env: {
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_REDIS_URL: `redis://127.0.0.1:${toRedis.port}`,
      ...sending(mail),
    },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await Promise.all([toPostgres?.stop(), toRedis?.stop()]);
  await database?.drop();
  await mail?.stop();
});

/**
 * Nothing was away here, and nobody tells that the connections are dead: most of the time goes into finding out. Two to six seconds on a quiet machine; a statement's own time-out, which would be left without the watch for silence, is fifteen.
 */
const healedMs = 12_000;

describe("connections that the network forgot, under load", () => {
  test.for<[string, () => FaultProxy]>([
    ["PostgreSQL", () => toPostgres],
    ["Redis", () => toRedis],
  ])(
    "to %s: replaced within seconds, nothing acknowledged is lost",
    { timeout: 240_000 },
    async ([, proxy], { annotate }) => {
      const load = await startLoad(cluster, { mail });
      await everyKindSucceeds(load);
      expect(proxy().live()).toBeGreaterThan(2);
      const seen = { registered: load.acknowledged.length, created: load.created.length };
      proxy().forget();
      const forgotten = performance.now();
      await until("registrations and calls succeed again", 20, () => {
        return load.acknowledged.length > seen.registered + 10 && load.created.length > seen.created + 10;
      });
      const ms = performance.now() - forgotten;
      await annotate(
        `ten registrations and ten calls ${Math.round(ms)} ms after the connections were forgotten`,
      );
      expect(ms).toBeLessThan(healedMs);
      await everyKindSucceeds(load);
      await load.stop();
      onlyOutage(load);
      await nothingLost(cluster, load, annotate);
    },
  );

  test("all of them while nothing happens: the first request afterwards is late at most", async ({
    annotate,
  }) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    toPostgres.forget();
    toRedis.forget();
    const started = performance.now();
    await until("service", 15, () => registers(cluster));
    const ms = performance.now() - started;
    await annotate(`the first registration ${Math.round(ms)} ms after the connections were forgotten`);
    expect(ms).toBeLessThan(healedMs);
  });
});
