import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, behindProxy, newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type CodeLoad, mailOutcome, startCodeLoad } from "../support/code-load.ts";
import { serverErrors, startLoad, type Tally } from "../support/load.ts";
import { lostOf, until } from "../support/outcome.ts";
import { type WorkerKind, workersOf } from "../support/processes.ts";
import { type SmtpSink, startSmtpSink, waitForMessage } from "../support/smtp.ts";

/** Seconds of killing; `AUTHKIT_TEST_KILL_SECONDS=60` for the long run. */
const seconds = Number(process.env["AUTHKIT_TEST_KILL_SECONDS"] ?? 20);
const kinds: readonly WorkerKind[] = ["http", "management", "hashing", "jobs"];
/** Between a worker's return and the next kill: the primary takes a worker that dies again and again for broken. */
const pauseMs = 500;

let mail: SmtpSink;
let cluster: TestCluster;

beforeAll(async () => {
  mail = await startSmtpSink();
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
      AUTHKIT_SMTP_URL: mail.url,
      AUTHKIT_MAIL_FROM: "auth@example.com",
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

/** Accounts with more sessions than sign-ins, of which every account in this test has had one. */
async function duplicateSessions(): Promise<readonly unknown[]> {
  const several =
    "SELECT user_id, count(*)::int AS sessions FROM profiles.refresh_sessions GROUP BY user_id HAVING count(*) > 1";
  return (await query(several)).rows;
}

async function refusedRefreshes(load: CodeLoad): Promise<number> {
  let refused = 0;
  for (const token of load.sessions) {
    const response = await fetch(`${cluster.api}/token`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": `8.8.${refused}.1` },
      body: JSON.stringify({ grant_type: "refresh_token", refresh_token: token }),
    });
    if (response.status !== 200) refused++;
  }
  return refused;
}

const summary = ({ succeeded, unanswered, refused }: Tally): string =>
  `${succeeded} answered, ${unanswered} cut off${[...refused].map(([status, n]) => `, ${n} × ${status}`).join("")}`;

test(
  "every kind of process is killed in turn, again and again: no write, session or message is lost or doubled",
  async ({ annotate }) => {
    const load = await startLoad(cluster);
    const codes = startCodeLoad(cluster, mail);
    const parts = {
      "key sets": load.light,
      registrations: load.registrations,
      refreshes: load.refreshes,
      "management calls": load.calls,
      "requests for a code": codes.starts,
      "sign-ins by code": codes.confirmations,
    };
    await until("load is under way", 30, () => {
      return Object.values(parts).every(({ succeeded }) => succeeded > 3);
    });

    const kills = await killInTurn();
    const before = Object.values(parts).map(({ succeeded }) => succeeded);
    await until("every kind of request succeeds again", 30, () =>
      Object.values(parts).every(({ succeeded }, index) => succeeded > (before[index] ?? 0) + 3),
    );
    // A job that died with its worker is taken up again when its sign of life is overdue.
    await Promise.all([load.stop(), codes.stop()]);

    const report = Object.entries(parts).map(([name, part]) => `${name}: ${summary(part)}`);
    const messages = mailOutcome(codes, mail);
    await annotate(
      `kills: ${JSON.stringify(kills)}; ${report.join("; ")}; repeated mails: ${messages.repeated}`,
    );

    for (const part of Object.values(parts)) expect(serverErrors(part)).toEqual([]);
    expect(Math.min(...Object.values(kills))).toBeGreaterThan(0);
    expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
    expect(await refusedRefreshes(codes)).toBe(0);
    expect(await duplicateSessions()).toEqual([]);
    expect({ missing: messages.missing, duplicated: messages.duplicated }).toEqual({
      missing: [],
      duplicated: [],
    });
    // Between a mail server's "accepted" and the note of it there is always a moment to die in.
    expect(messages.repeated).toBeLessThanOrEqual(kills.jobs);
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
  expect(mailOutcome({ asked: [email] }, mail)).toMatchObject({ missing: [], duplicated: [] });
});
