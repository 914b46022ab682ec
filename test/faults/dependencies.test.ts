import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type FaultyPostgres, startFaultyPostgres, unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { registers } from "../support/journey.ts";
import { type Load, onlyOutage, onlyUnavailable, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, type Tell, until } from "../support/outcome.ts";
import { workersOf } from "../support/processes.ts";
import { postgresAnswers, type Recovered, recovers, redisAnswers } from "../support/recovery.ts";
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

interface Outage {
  readonly of: string;
  readonly begin: () => Promise<void> | void;
  readonly end: () => Promise<void> | void;
  readonly answers: () => Promise<boolean>;
}

const databaseAnswers = (): Promise<boolean> => postgresAnswers(postgres.url);
const cacheAnswers = (): Promise<boolean> => redisAnswers(redis.port);

/** Load before, through and after an outage that lasts a second. */
async function through(outage: Outage, tell: Tell): Promise<{ load: Load; recovered: Recovered }> {
  const load = await startLoad(cluster, { mail });
  await everyKindSucceeds(load);
  await outage.begin();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const { of, answers, end } = outage;
  const recovered = await recovers({ of, answers, back: end, serves: () => registers(cluster), tell });
  await everyKindSucceeds(load);
  await load.stop();
  onlyOutage(load);
  return { load, recovered };
}

describe("PostgreSQL away under load", () => {
  test.for<[string, () => Promise<void> | void, () => Promise<void> | void]>([
    ["a restart", () => postgres.stop(), () => postgres.start()],
    ["a crash", () => postgres.crash(), () => postgres.start()],
    ["a hang", () => postgres.hang(), () => postgres.resume()],
  ])(
    "%s: answered with 503 or late, recovered within two seconds, nothing acknowledged lost",
    { timeout: 240_000 },
    async ([kind, begin, end], { annotate }) => {
      const outage = { of: `PostgreSQL after ${kind}`, begin, end, answers: databaseAnswers };
      const { load } = await through(outage, annotate);
      await nothingLost(cluster, load, annotate);
    },
  );

  test("while it is down: 503 with Retry-After and a readiness that names it; the key set is served", async ({
    annotate,
  }) => {
    await postgres.stop();
    let ended = false;
    const end = async (): Promise<void> => {
      if (ended) return;
      ended = true;
      await postgres.start();
    };
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
      await recovers({
        of: "PostgreSQL after a stop without load",
        back: end,
        answers: databaseAnswers,
        serves: () => registers(cluster),
        tell: annotate,
      });
    } finally {
      await end();
    }
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
  // Under way no more: what is measured is how soon they notice, not how long a start takes.
  await until("what needs no database is served again", 120, async () => {
    try {
      return (await request(`${cluster.url}/healthz`)).status === 200;
    } catch {
      return false;
    }
  });
  // Longer than several starts take: a worker that gave up would be dead by now.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(cluster.process.exitCode).toBeNull();
  await recovers({
    of: "PostgreSQL, whose workers had died meanwhile",
    back: () => postgres.start(),
    answers: databaseAnswers,
    serves: () => registers(cluster),
    tell: annotate,
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
    const outage = {
      of: "Redis after a restart",
      begin: () => redis.stop(),
      end: async () => {
        redis = await startTestRedis({ port });
      },
      answers: () => redisAnswers(port),
    };
    const { load, recovered } = await through(outage, annotate);
    // Codes are kept nowhere else.
    await nothingLost(cluster, load, annotate, { codesSince: recovered.at });
  }, 240_000);

  test("a hang ends in 503 or late answers, not in pending requests", async ({ annotate }) => {
    const outage = {
      of: "Redis after a hang",
      begin: () => redis.pause(),
      end: () => redis.resume(),
      answers: cacheAnswers,
    };
    const { load } = await through(outage, annotate);
    await nothingLost(cluster, load, annotate);
  }, 240_000);
});
