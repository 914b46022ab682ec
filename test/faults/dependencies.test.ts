import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type FaultyPostgres, startFaultyPostgres, unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { registers } from "../support/journey.ts";
import { type Load, onlyOutage, onlyUnavailable, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, recoveredWithinMs, recoveryMs, until } from "../support/outcome.ts";
import { workersOf } from "../support/processes.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp.ts";

let mail: SmtpSink;
let postgres: FaultyPostgres;
let redis: TestRedis;
let cluster: TestCluster;

beforeAll(async () => {
  [postgres, redis, mail] = await Promise.all([startFaultyPostgres(), startTestRedis(), startSmtpSink()]);
  cluster = await startCluster({
    databaseUrl: postgres.url,
    env: { AUTHKIT_CONFIG: await unlimited(), AUTHKIT_REDIS_URL: redis.url, ...sending(mail) },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await Promise.all([postgres?.remove(), redis?.stop(), mail?.stop()]);
});

/** Load before, through and after an outage; the time the cluster needed once the dependency was back. */
async function through(
  outage: () => Promise<void> | void,
  back: () => Promise<void> | void,
): Promise<{ load: Load; ms: number; since: number }> {
  const load = await startLoad(cluster, { mail });
  await everyKindSucceeds(load);
  await outage();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await back();
  const ms = await recoveryMs(() => registers(cluster));
  const since = performance.now();
  await everyKindSucceeds(load);
  await load.stop();
  return { load, ms, since };
}

describe("PostgreSQL away under load", () => {
  test.for<[string, () => Promise<void> | void, () => Promise<void> | void]>([
    ["a restart", () => postgres.stop(), () => postgres.start()],
    ["a crash", () => postgres.crash(), () => postgres.start()],
    ["a hang", () => postgres.hang(), () => postgres.resume()],
  ])(
    "%s: answered with 503 or late, recovered within two seconds, nothing acknowledged lost",
    { timeout: 240_000 },
    async (row, { annotate }) => {
      const [, outage, back] = row;
      const { load, ms } = await through(outage, back);
      onlyOutage(load);
      expect(ms).toBeLessThan(recoveredWithinMs);
      await nothingLost(cluster, load, annotate);
    },
  );

  test("while it is down: 503 with Retry-After and a readiness that names it; the key set is served", async () => {
    await postgres.stop();
    try {
      const refused = await request(`${cluster.api}/password/login`, {
        body: { email: "nobody@example.com", password: "password123" },
      });
      expect(refused.status).toBe(503);
      expect(refused.code).toBe("service_unavailable");
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      const ready = await request(`${cluster.url}/readyz`);
      expect(ready.status).toBe(503);
      expect(ready.text).toContain("database");
      expect((await request(`${cluster.url}/healthz`)).status).toBe(200);
      expect((await request(`${cluster.url}/.well-known/jwks.json`)).status).toBe(200);
    } finally {
      await postgres.start();
    }
    expect(await recoveryMs(() => registers(cluster))).toBeLessThan(recoveredWithinMs);
  });
});

test("workers that die while the database is away wait for its return, and the server lives on", async ({
  annotate,
}) => {
  const load = await startLoad(cluster, { mail });
  await everyKindSucceeds(load);
  await postgres.stop();
  const victims = (["http", "management", "jobs"] as const).flatMap((kind) => workersOf(cluster.pid, kind));
  for (const pid of victims) process.kill(pid, "SIGKILL");
  await until("successors of all", 60, () => {
    const now = (["http", "management", "jobs"] as const).flatMap((kind) => workersOf(cluster.pid, kind));
    return now.length === victims.length && now.every((pid) => !victims.includes(pid));
  });
  // Longer than several starts take: a worker that gave up would be dead by now.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(cluster.process.exitCode).toBeNull();
  await postgres.start();
  await until("service", 15, async () => {
    try {
      return await registers(cluster);
    } catch {
      return false;
    }
  });
  await everyKindSucceeds(load);
  await load.stop();
  // Nobody listened while the successors waited: connections were refused.
  onlyUnavailable(load);
  await nothingLost(cluster, load, annotate);
}, 300_000);

describe("Redis away under load", () => {
  test("a restart loses no account, no session and no message", async ({ annotate }) => {
    const { port } = redis;
    const { load, ms, since } = await through(
      () => redis.stop(),
      async () => {
        redis = await startTestRedis({ port });
      },
    );
    onlyOutage(load);
    expect(ms).toBeLessThan(recoveredWithinMs);
    // Codes are kept nowhere else.
    await nothingLost(cluster, load, annotate, { codesSince: since });
  }, 240_000);

  test("a hang ends in 503 or late answers, not in pending requests", async ({ annotate }) => {
    const { load, ms } = await through(
      () => redis.pause(),
      () => redis.resume(),
    );
    onlyOutage(load);
    expect(ms).toBeLessThan(recoveredWithinMs);
    await nothingLost(cluster, load, annotate);
  }, 240_000);
});
