import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type FaultyPostgres, startFaultyPostgres, unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { registers } from "../support/journey.ts";
import { type Load, onlyOutage, startLoad } from "../support/load.ts";
import { lostOf, recoveredWithinMs, recoveryMs, until } from "../support/outcome.ts";
import { workersOf } from "../support/processes.ts";
import { startTestRedis, type TestRedis } from "../support/redis.ts";

let postgres: FaultyPostgres;
let redis: TestRedis;
let cluster: TestCluster;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startFaultyPostgres(), startTestRedis()]);
  cluster = await startCluster({
    databaseUrl: postgres.url,
    env: { AUTHKIT_CONFIG: await unlimited(), AUTHKIT_REDIS_URL: redis.url },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await Promise.all([postgres?.remove(), redis?.stop()]);
});

/** Load before, through and after an outage; the time the cluster needed once the dependency was back. */
async function through(
  outage: () => Promise<void> | void,
  back: () => Promise<void> | void,
): Promise<{ load: Load; ms: number }> {
  const load = await startLoad(cluster);
  await until("load is under way", 20, () => load.acknowledged.length > 3 && load.created.length > 3);
  await outage();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await back();
  const ms = await recoveryMs(() => registers(cluster));
  const seen = { registered: load.acknowledged.length, created: load.created.length };
  await until("every kind of request succeeds again", 20, () => {
    return load.acknowledged.length > seen.registered + 3 && load.created.length > seen.created + 3;
  });
  await load.stop();
  return { load, ms };
}

describe("PostgreSQL away under load", () => {
  test.each<[string, () => Promise<void> | void, () => Promise<void> | void]>([
    ["a restart", () => postgres.stop(), () => postgres.start()],
    ["a crash", () => postgres.crash(), () => postgres.start()],
    ["a hang", () => postgres.hang(), () => postgres.resume()],
  ])(
    "%s: answered with 503 or late, recovered within two seconds, nothing acknowledged lost",
    async (...row) => {
      const [, outage, back] = row;
      const { load, ms } = await through(outage, back);
      onlyOutage(load);
      expect(ms).toBeLessThan(recoveredWithinMs);
      expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
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

test("workers that die while the database is away wait for its return, and the server lives on", async () => {
  await postgres.stop();
  const victims = (["http", "management", "jobs"] as const).flatMap((kind) => workersOf(cluster.pid, kind));
  for (const pid of victims) process.kill(pid, "SIGKILL");
  await until("successors of all", 20, () => {
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
});

describe("Redis away under load", () => {
  test("a restart loses no account and no session", async () => {
    const { port } = redis;
    const { load, ms } = await through(
      () => redis.stop(),
      async () => {
        redis = await startTestRedis({ port });
      },
    );
    onlyOutage(load);
    expect(ms).toBeLessThan(recoveredWithinMs);
    expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
  });

  test("a hang ends in 503 or late answers, not in pending requests", async () => {
    const { load, ms } = await through(
      () => redis.pause(),
      () => redis.resume(),
    );
    onlyOutage(load);
    expect(ms).toBeLessThan(recoveredWithinMs);
    expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
  });
});
