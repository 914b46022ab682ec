import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, behindProxy, newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { mailOutcome } from "../support/code-load.ts";
import { onlyUnavailable, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, until } from "../support/outcome.ts";
import { type WorkerKind, workersOf } from "../support/processes.ts";
import { type SmtpSink, startSmtpSink, waitForMessage } from "../support/smtp.ts";

/** Seconds of killing: a minute where the whole check runs (`CI=true`), less at a desk, and `AUTHKIT_TEST_KILL_SECONDS` anywhere. */
const seconds = Number(process.env["AUTHKIT_TEST_KILL_SECONDS"] ?? (process.env["CI"] === "true" ? 60 : 20));
const kinds: readonly WorkerKind[] = ["http", "management", "hashing", "jobs"];
/** Between a worker's return and the next kill, so that each kind is at work meanwhile. */
const pauseMs = 500;

let mail: SmtpSink;
let cluster: TestCluster;

beforeAll(async () => {
  mail = await startSmtpSink();
  cluster = await startCluster({
    env: {
      ...behindProxy,
      ...sending(mail),
    },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await mail?.stop();
});

/** Kills one worker of each kind in turn until the time is over; how often each kind died. */
async function killInTurn(): Promise<Record<WorkerKind, number>> {
  const kills = { http: 0, management: 0, hashing: 0, jobs: 0 };
  const end = Date.now() + seconds * 1_000;
  for (let turn = 0; Date.now() < end; turn++) {
    const kind = kinds[turn % kinds.length] ?? "http";
    const before = workersOf(cluster.pid, kind);
    const victim = before[Math.floor(turn / kinds.length) % before.length] ?? 0;
    process.kill(victim, "SIGKILL");
    kills[kind]++;
    await until(`a new ${kind} worker`, 30, () => {
      const now = workersOf(cluster.pid, kind);
      return now.length === before.length && !now.includes(victim);
    });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return kills;
}

async function query(
  text: string,
  values: readonly string[] = [],
): Promise<pg.QueryResult<pg.QueryResultRow>> {
  const client = new pg.Client({ connectionString: cluster.databaseUrl });
  await client.connect();
  try {
    return await client.query(text, [...values]);
  } finally {
    await client.end();
  }
}

test(
  "every kind of process is killed in turn, again and again: no write, session or message is lost or doubled",
  async ({ annotate }) => {
    const load = await startLoad(cluster, { mail });
    await everyKindSucceeds(load);
    const kills = await killInTurn();
    await everyKindSucceeds(load);
    // A job that died with its worker is taken up again when its sign of life is overdue.
    await load.stop();

    await annotate(`kills in ${seconds} s: ${JSON.stringify(kills)}`);
    onlyUnavailable(load);
    expect(Math.min(...Object.values(kills))).toBeGreaterThan(0);
    await nothingLost(cluster, load, annotate, { repeats: kills.jobs });
  },
  seconds * 1_000 + 240_000,
);

test("a request whose worker died before it could say that the message is sent leads to no second one, and the code holds", async () => {
  const { email } = newPerson();
  const started = await api(cluster, "/passwordless/start", { body: { identifier: email, mode: "code" } });
  expect(started.status, started.text).toBe(202);
  const { code } = await waitForMessage(mail, email);
  const done = "name = 'recovery-requests' AND state = 'completed' ORDER BY completed_on DESC LIMIT 1";
  await until("the request's job is done", 10, async () => {
    const { rows } = await query(
      `SELECT created_on > now() - interval '30 s' AS recent FROM profiles_jobs.job WHERE ${done}`,
    );
    return rows[0]?.["recent"] === true;
  });
  const again = await query(
    `UPDATE profiles_jobs.job SET state = 'retry', start_after = now(), completed_on = NULL
      WHERE id = (SELECT id FROM profiles_jobs.job WHERE ${done}) RETURNING id`,
  );
  await until("the job runs again", 10, async () => {
    const { rows } = await query("SELECT state, retry_count FROM profiles_jobs.job WHERE id = $1", [
      String(again.rows[0]?.["id"]),
    ]);
    return rows[0]?.["state"] === "completed" && rows[0]["retry_count"] === 1;
  });
  const confirmed = await api(cluster, "/passwordless/confirm", { body: { identifier: email, code } });
  expect(confirmed.status, confirmed.text).toBe(200);
  expect(mailOutcome({ asked: [email], tried: [email] }, mail)).toMatchObject({
    missing: [],
    duplicated: [],
  });
});
