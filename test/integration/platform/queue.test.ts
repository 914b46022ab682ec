import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { type Database, sql } from "../../../src/platform/postgres/port.ts";
import {
  createJobQueue,
  createPayloadCipher,
  type Job,
  type JobDefinition,
  type JobQueue,
  type JobRunner,
  migrateQueue,
  startJobRunner,
} from "../../../src/platform/queue/index.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { openTestDatabase, type TestDatabase } from "./backends.ts";

let postgres: TestDatabase;
let queue: JobQueue;
let runner: JobRunner;
const metrics = createMetrics("jobs-test");
const seen: { queue: string; payload: unknown; attempt: number; lastAttempt: boolean }[] = [];
let failuresLeft = 2;
let running = 0;
let mostRunning = 0;
let finished = 0;
let looks = 0;

function note(name: string, job: Job): void {
  seen.push({ queue: name, payload: job.payload, attempt: job.attempt, lastAttempt: job.lastAttempt });
}

const jobs: readonly JobDefinition[] = [
  { name: "plain", handle: async (job) => note("plain", job) },
  {
    name: "flaky",
    retryLimit: 3,
    retryDelaySeconds: 1,
    retryDelayMaxSeconds: 1,
    async handle(job) {
      note("flaky", job);
      if (failuresLeft-- > 0) throw new Error("provider said alice@example.com is unknown");
    },
  },
  {
    name: "wide",
    concurrency: 4,
    async handle() {
      mostRunning = Math.max(mostRunning, ++running);
      await new Promise((resolve) => setTimeout(resolve, 300));
      running--;
      finished++;
    },
  },
  { name: "nightly", cron: "0 3 * * *", handle: async () => undefined },
];

/** Counts the statements that fetch jobs. */
function countingLooks(database: Database): Database {
  return {
    ...database,
    rows(statement, values, options) {
      if (/WITH\s+next/.test(statement.text(""))) looks++;
      return database.rows(statement, values, options);
    },
  };
}

async function eventually(check: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!check()) {
    if (Date.now() > deadline) throw new Error("did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
const of = (name: string) => seen.filter((one) => one.queue === name);

beforeAll(async () => {
  postgres = await openTestDatabase();
  const migration = {
    connection: { connectionString: postgres.url },
    schema: postgres.database.schema,
    queues: jobs,
    log: silentLog,
  };
  await migrateQueue(migration);
  await migrateQueue(migration);
  queue = createJobQueue(postgres.database, silentLog);
});
afterAll(async () => {
  await runner?.stop(5_000);
  await queue.close();
  await postgres.drop();
});

it("asks for patience while the tables are missing, and works once they are there", async () => {
  const bare = await openTestDatabase();
  const early = createJobQueue(bare.database, silentLog);
  await expect(early.enqueue("plain", {})).rejects.toMatchObject({
    code: "service_unavailable",
    retryAfter: 1,
  });
  await migrateQueue({
    connection: { connectionString: bare.url },
    schema: bare.database.schema,
    queues: jobs,
    log: silentLog,
  });
  await early.enqueue("plain", {});
  await early.close();
  await bare.drop();
});

describe("before a worker runs", () => {
  it("holds one living job per key, and any number without", async () => {
    await queue.enqueue("plain", { n: 1 }, { key: "same" });
    await queue.enqueue("plain", { n: 2 }, { key: "same" });
    await queue.enqueue("plain", { n: 3 });
    await queue.enqueue("plain", { n: 3 });
  });

  it("enqueues in the caller's transaction: no commit, no job", async () => {
    const rolledBack = postgres.database.transaction(async (tx) => {
      await queue.enqueue("plain", { n: "rolled back" }, { tx, key: "tx1" });
      throw new Error("changed my mind");
    });
    await expect(rolledBack).rejects.toThrow("changed my mind");
    await postgres.database.transaction(async (tx) => {
      await queue.enqueue("plain", { n: "committed" }, { tx, key: "tx2" });
    });
  });

  it("refuses a queue that does not exist", async () => {
    await expect(queue.enqueue("nowhere", {})).rejects.toThrow(/nowhere/);
  });

  it("drops what waited too long", async () => {
    await queue.enqueue("plain", { n: "dead code" }, { expireInSeconds: 1 });
    await queue.enqueue("plain", { n: "later" }, { startAfter: new Date(Date.now() + 3_000) });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
  });
});

describe("with a worker", () => {
  beforeAll(async () => {
    runner = await startJobRunner({
      database: countingLooks(postgres.database),
      jobs,
      log: silentLog,
      metrics,
    });
  });

  it("has run exactly what was committed and still alive", async () => {
    await eventually(
      () => of("plain").some(({ payload }) => JSON.stringify(payload).includes("later")),
      15_000,
    );
    expect(
      of("plain")
        .map(({ payload }) => JSON.stringify(payload))
        .sort(),
    ).toEqual(['{"n":"committed"}', '{"n":"later"}', '{"n":1}', '{"n":3}', '{"n":3}']);
    expect(await metrics.text()).toContain('authkit_jobs_total{queue="plain",result="expired"} 1');
  });

  it("remembers which keys it was given, also of jobs that are done", async () => {
    await queue.enqueue("plain", { n: "remembered" }, { key: "remembered" });
    await eventually(() => of("plain").some(({ payload }) => JSON.stringify(payload).includes("remembered")));
    expect(await queue.holds("plain", "remembered")).toBe(true);
    expect(await queue.holds("plain", "never given")).toBe(false);
    expect(await queue.holds("flaky", "remembered")).toBe(false);
  });

  it("takes a key again once its job is done", async () => {
    await queue.enqueue("plain", { n: "again" }, { key: "same" });
    await eventually(() => of("plain").some(({ payload }) => JSON.stringify(payload).includes("again")));
  });

  it("tries again with pauses, knows its last attempt, and stores no detail of the failure", async () => {
    await queue.enqueue("flaky", { to: "x" });
    await eventually(() => of("flaky").length === 3, 20_000);
    expect(of("flaky").map(({ attempt, lastAttempt }) => [attempt, lastAttempt])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
    const outputs = await postgres.database.rows<{ output: unknown }>(
      sql(
        "test.jobOutputs",
        () => `SELECT output FROM ${postgres.database.schema}_jobs.job WHERE output IS NOT NULL`,
      ),
    );
    expect(JSON.stringify(outputs)).not.toContain("alice@example.com");
  });

  it("runs up to the concurrency of its queue", async () => {
    for (let i = 0; i < 8; i++) await queue.enqueue("wide", {});
    await eventually(() => mostRunning === 4);
    expect(mostRunning).toBe(4);
  });

  it("keeps schedules for the queues that have one", async () => {
    const rows = await postgres.database.rows<{ name: string; cron: string }>(
      sql("test.schedules", () => `SELECT name, cron FROM ${postgres.database.schema}_jobs.schedule`),
    );
    expect(rows).toEqual([{ name: "nightly", cron: "0 3 * * *" }]);
  });

  it("lets one worker of a queue look, and wakes the others where it finds something", async () => {
    await eventually(() => finished === 8);
    looks = 0;
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const seconds = (performance.now() - began) / 1_000;
    // Three queues twice a second, one every five: with a look by each of the seven workers it were 13 a second.
    expect(looks / seconds).toBeLessThan(8);
    expect(looks).toBeGreaterThan(0);
  });

  it("finishes running jobs when stopped", async () => {
    await eventually(() => finished === 8);
    await queue.enqueue("wide", {});
    await eventually(() => running === 1);
    await runner.stop(5_000);
    expect([running, finished]).toEqual([0, 9]);
  });
});

describe("payload cipher", () => {
  const cipher = createPayloadCipher(Buffer.alloc(32, 1), systemRandom);
  it("opens what it sealed, and shows nothing of it", () => {
    const sealed = cipher.seal("mail", { to: "alice@example.com", code: "123456" });
    expect(JSON.stringify(sealed)).not.toMatch(/alice|123456/);
    expect(cipher.open("mail", sealed)).toEqual({ to: "alice@example.com", code: "123456" });
    expect(cipher.seal("mail", { a: 1 }).sealed).not.toBe(cipher.seal("mail", { a: 1 }).sealed);
  });
  it("opens what a former secret sealed, and seals with the one in use", () => {
    const later = createPayloadCipher(Buffer.alloc(32, 2), systemRandom, [Buffer.alloc(32, 1)]);
    expect(later.open("mail", cipher.seal("mail", { code: "123456" }))).toEqual({ code: "123456" });
    expect(() => cipher.open("mail", later.seal("mail", {}))).toThrow("AUTHKIT_CODE_FORMER_SECRETS");
  });

  it("refuses another queue, another key, altered and foreign payloads", () => {
    const { sealed } = cipher.seal("mail", { a: 1 });
    expect(() => cipher.open("sms", { sealed })).toThrow();
    expect(() => createPayloadCipher(Buffer.alloc(32, 2), systemRandom).open("mail", { sealed })).toThrow();
    expect(() => cipher.open("mail", { sealed: `${sealed.slice(0, -2)}AA` })).toThrow();
    expect(() => cipher.open("mail", { sealed: "v1.AAAA" })).toThrow("too short");
    expect(() => cipher.open("mail", { to: "x" })).toThrow("not sealed");
  });
});
