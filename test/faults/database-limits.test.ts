import { afterAll, beforeAll, expect, test } from "vitest";
import { newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type FaultyPostgres, startFaultyPostgres, unlimited } from "../support/faulty.ts";
import { call, request, type TestReply } from "../support/http.ts";
import { registers } from "../support/journey.ts";
import { type Load, onlyOutage, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, type Tell, until } from "../support/outcome.ts";
import { postgresAnswers, recovers } from "../support/recovery.ts";
import { createOnSmallDisk, type SmallDisk } from "../support/small-disk.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp.ts";

/** Configured waits: `connect_timeout` in the database's URL and `AUTHKIT_DB_STATEMENT_TIMEOUT`. */
const waitSeconds = 2;

let mail: SmtpSink;
let postgres: FaultyPostgres;
let disk: SmallDisk;
let cluster: TestCluster;

beforeAll(async () => {
  mail = await startSmtpSink();
  postgres = await startFaultyPostgres();
  disk = await createOnSmallDisk(postgres);
  cluster = await startCluster({
    databaseUrl: `${disk.url}?connect_timeout=${waitSeconds}`,
    env: {
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_DB_STATEMENT_TIMEOUT: `${waitSeconds}s`,
      ...sending(mail),
    },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await postgres?.remove();
  await disk?.remove();
  await mail?.stop();
});

async function underLoad(): Promise<Load> {
  const load = await startLoad(cluster, { mail });
  await everyKindSucceeds(load);
  return load;
}

/** Ends what is wrong with the database: service comes back by itself, and nothing that was acknowledged before, during or after is missing. */
async function comesBack(
  load: Load,
  of: string,
  back: () => Promise<void> | void,
  tell: Tell,
): Promise<void> {
  let mended = false;
  await recovers({
    of,
    back: async () => {
      await back();
      mended = true;
    },
    answers: async () => mended && (await postgresAnswers(disk.url)),
    serves: () => registers(cluster),
    tell,
  });
  await everyKindSucceeds(load);
  await load.stop();
  onlyOutage(load);
  await nothingLost(cluster, load, tell);
}

/** Something to be undone once, whatever happens in between. */
function once(undo: () => Promise<void> | void): () => Promise<void> {
  let undone: Promise<void> | undefined;
  return () => {
    undone ??= Promise.resolve(undo());
    return undone;
  };
}

function register(): Promise<TestReply> {
  const { email, username, password } = newPerson();
  return request(`${cluster.api}/register`, { body: { identifier: email, username, password } });
}

function told(reply: TestReply): void {
  expect([reply.status, reply.code], reply.text).toEqual([503, "service_unavailable"]);
  expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
}

const cut = (): Promise<void> =>
  disk.administer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${disk.role}'`);

test("no connection to be had (53300): 503 on both planes and a readiness that names it; with a few of them service goes on", async ({
  annotate,
}) => {
  const account = await registered(cluster);
  const load = await underLoad();
  const mend = once(() => disk.administer(`ALTER ROLE ${disk.role} CONNECTION LIMIT -1`));
  try {
    await disk.administer(`ALTER ROLE ${disk.role} CONNECTION LIMIT 0`);
    await cut();
    told(await register());
    told(await request(`${cluster.api}/me`, { bearer: account.accessToken }));
    told(await call(cluster, "GetUserByEmail", { email: account.email }));
    const ready = await request(`${cluster.url}/readyz`);
    expect([ready.status, ready.text]).toEqual([503, expect.stringContaining("database")]);
    expect((await request(`${cluster.url}/healthz`)).status).toBe(200);
    await until(
      "the load meets it",
      20,
      () => load.calls.refused.has(503) && load.refreshes.refused.has(503),
    );

    // Fewer than the processes would take: whoever has one shares it.
    await disk.administer(`ALTER ROLE ${disk.role} CONNECTION LIMIT 4`);
    const before = load.acknowledged.length;
    await until("registrations through a few connections", 30, () => load.acknowledged.length > before + 3);
    await comesBack(load, "connections without a limit", mend, annotate);
  } finally {
    await mend();
  }
}, 240_000);

test("a full disk (53100): what needs room is answered with 503, what needs none is served", async ({
  annotate,
}) => {
  await annotate(`the full disk is ${disk.means}`);
  const account = await registered(cluster);
  const load = await underLoad();
  let refused: TestReply | undefined;
  const mend = once(() => disk.empty());
  try {
    await disk.fill();
    // There is room in pages begun before.
    await until("a registration is refused", 60, async () => {
      const reply = await register();
      if (reply.status !== 202) refused = reply;
      return refused !== undefined;
    });
    if (refused !== undefined) told(refused);
    expect((await request(`${cluster.api}/me`, { bearer: account.accessToken })).status).toBe(200);
    const found = await call(cluster, "GetUserByEmail", { email: account.email });
    expect([found.status, found.body["result"]]).toEqual([
      200,
      expect.objectContaining({ Email: account.email }),
    ]);
    expect((await request(`${cluster.url}/readyz`)).status).toBe(200);
    await comesBack(load, "room on the disk", mend, annotate);
  } finally {
    await mend();
  }
}, 240_000);

test("a hang longer than anybody waits: every request is answered with 503 in time", async ({ annotate }) => {
  const account = await registered(cluster);
  const load = await underLoad();
  const mend = once(() => postgres.resume());
  postgres.hang();
  try {
    const hung = performance.now();
    const answers: Promise<number>[] = [];
    while (performance.now() - hung < 4_000) {
      const asked = performance.now();
      for (const reply of [
        register(),
        request(`${cluster.api}/me`, { bearer: account.accessToken }),
        call(cluster, "GetUserByEmail", { email: account.email }),
      ]) {
        answers.push(
          reply.then((answer) => {
            told(answer);
            return performance.now() - asked;
          }),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    // All of them while the server is still silent; first a wait for a connection, then one for the statement.
    expect(Math.max(...(await Promise.all(answers)))).toBeLessThan(4 * 2 * waitSeconds * 1_000);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 7_000 - (performance.now() - hung))));
    await comesBack(load, "PostgreSQL after a long hang", mend, annotate);
  } finally {
    await mend();
  }
}, 240_000);
