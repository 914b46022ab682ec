import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { api, newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type FaultyPostgres, startFaultyPostgres, unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { registers } from "../support/journey.ts";
import { nothingFailed, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, until } from "../support/outcome.ts";
import { freePort } from "../support/ports.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { postgresAnswers, recovers } from "../support/recovery.ts";
import { type SmtpSink, startSmtpSink, waitForMessage } from "../support/smtp.ts";
import { clockLibrary, clockLibraryMissing, type WallClock, wallClock } from "../support/wall-clock.ts";

const hour = 3_600;
/** What nodes of one deployment share. */
const secrets = {
  AUTHKIT_KEYRING_SECRET: Buffer.alloc(32, 7).toString("base64"),
  AUTHKIT_CODE_SECRET: Buffer.alloc(32, 8).toString("base64"),
};

let mail: SmtpSink;
beforeAll(async () => {
  mail = await startSmtpSink();
});
afterAll(() => mail?.stop());

async function signIn(cluster: TestCluster, person: { email: string; password: string }) {
  const reply = await api(cluster, "/password/login", {
    body: { email: person.email, password: person.password },
  });
  expect(reply.status, reply.text).toBe(200);
  return { access: String(reply.body["access_token"]), refresh: String(reply.body["refresh_token"]) };
}

async function refresh(cluster: TestCluster, token: string) {
  const reply = await api(cluster, "/token", {
    body: { grant_type: "refresh_token", refresh_token: token },
  });
  expect(reply.status, reply.text).toBe(200);
  return { access: String(reply.body["access_token"]), refresh: String(reply.body["refresh_token"]) };
}

const me = (cluster: TestCluster, bearer: string) => request(`${cluster.api}/me`, { bearer });

/** Whether a code that was asked for arrives and opens a session. */
async function codeArrives(cluster: TestCluster, confirmAt: TestCluster = cluster): Promise<void> {
  const { email } = newPerson();
  const started = await api(cluster, "/passwordless/start", { body: { identifier: email, mode: "code" } });
  expect(started.status, started.text).toBeLessThan(300);
  const { code } = await waitForMessage(mail, email, 30_000);
  const confirmed = await api(confirmAt, "/passwordless/confirm", { body: { identifier: email, code } });
  expect(confirmed.status, confirmed.text).toBe(200);
}

describe.skipIf(clockLibrary === undefined)("two nodes, one with another clock", () => {
  let clock: WallClock;
  let right: TestCluster;
  let other: TestCluster;
  let database: Awaited<ReturnType<typeof createTestDatabase>>;

  beforeAll(async () => {
    [clock, database] = await Promise.all([wallClock(3), createTestDatabase(inject("postgresUrl"))]);
    const env = {
      ...secrets,
      ...sending(mail),
      AUTHKIT_ISSUER: "https://clocks.example.com",
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_REDIS_KEY_PREFIX: `clocks${await freePort()}:`,
    };
    right = await startCluster({ databaseUrl: database.url, env });
    other = await startCluster({ databaseUrl: database.url, env: { ...env, ...clock.env } });
  });
  afterAll(async () => {
    await Promise.all([right?.stop(), other?.stop()]);
    await Promise.all([clock?.remove(), database?.drop()]);
  });

  test("three seconds ahead: each takes the other's tokens", async () => {
    const person = await registered(right);
    for (const [issuer, verifier] of [
      [right, other],
      [other, right],
    ] as const)
      expect((await me(verifier, (await signIn(issuer, person)).access)).status).toBe(200);
  });

  describe.each([
    ["an hour ahead", hour],
    ["an hour behind", -hour],
  ])("%s", (_name, offset) => {
    beforeAll(() => clock.set(offset));

    test("a token of the one is refused by the other for its times alone; the session goes on", async () => {
      const person = await registered(right);
      const mine = await signIn(right, person);
      const theirs = await signIn(other, person);
      expect((await me(right, mine.access)).status).toBe(200);
      expect((await me(other, theirs.access)).status).toBe(200);
      expect((await me(right, theirs.access)).status).toBe(401);
      expect((await me(other, mine.access)).status).toBe(401);
      expect((await me(right, (await refresh(right, theirs.refresh)).access)).status).toBe(200);
      expect((await me(other, (await refresh(other, mine.refresh)).access)).status).toBe(200);
    });

    test("a refresh repeated at the other node gets the same successor, and nobody is signed out", async () => {
      const person = await registered(right);
      for (const [first, second] of [
        [right, other],
        [other, right],
      ] as const) {
        const session = await signIn(right, person);
        const successor = (await refresh(first, session.refresh)).refresh;
        expect((await refresh(second, session.refresh)).refresh).toBe(successor);
        await refresh(second, successor);
      }
    });

    test("one-time codes asked for at one are taken by the other, whichever sends them", async () => {
      for (let round = 0; round < 3; round++) {
        await codeArrives(right, other);
        await codeArrives(other, right);
      }
    });
  });
});

describe.skipIf(clockLibrary === undefined)("a clock that jumps under a running server", () => {
  let clock: WallClock;
  let postgres: FaultyPostgres;
  let cluster: TestCluster;

  beforeAll(async () => {
    [clock, postgres] = await Promise.all([wallClock(), startFaultyPostgres()]);
    cluster = await startCluster({
      databaseUrl: postgres.url,
      env: { ...secrets, ...sending(mail), ...clock.env, AUTHKIT_CONFIG: await unlimited() },
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    await Promise.all([clock?.remove(), postgres?.remove()]);
  });

  test.for([
    ["an hour ahead", hour],
    ["back from there", 0],
    ["an hour behind", -hour],
    ["forward from there", 0],
  ] as const)(
    "%s: no request fails, nobody is signed out, messages arrive",
    { timeout: 240_000 },
    async ([, offset], { annotate }) => {
      const load = await startLoad(cluster, { mail });
      await everyKindSucceeds(load);
      await clock.set(offset);
      await everyKindSucceeds(load, 10);
      await codeArrives(cluster);
      await load.stop();
      nothingFailed(load);
      await nothingLost(cluster, load, annotate);
    },
  );

  test("a revoked token stays refused when the clock has been ahead for a while", async () => {
    const person = await registered(cluster);
    const session = await signIn(cluster, person);
    expect((await me(cluster, session.access)).status).toBe(200);
    expect((await api(cluster, "/logout", { bearer: session.access, method: "DELETE" })).status).toBe(200);
    const refused = async (): Promise<void> => {
      // With new connections, so that every worker is asked.
      for (let attempt = 0; attempt < 10; attempt++) {
        const reply = await request(`${cluster.api}/me`, {
          bearer: session.access,
          headers: { connection: "close" },
        });
        expect(reply.status).toBe(401);
      }
    };
    await refused();
    await clock.set(2 * hour);
    await refused();
    await clock.set(0);
    await refused();
  });

  test("set back while the database is away: it is used again within seconds of its return", async ({
    annotate,
  }) => {
    await clock.set(hour);
    await postgres.stop();
    await until("an outage is told", 10, async () => !(await registers(cluster)));
    await clock.set(0);
    await recovers({
      of: "PostgreSQL, with the clock set back meanwhile",
      back: () => postgres.start(),
      answers: () => postgresAnswers(postgres.url),
      serves: () => registers(cluster),
      tell: annotate,
    });
  });

  test("set back while it drains: it ends in order and in time", async () => {
    await clock.set(hour);
    const ended = cluster.stop();
    await sleep(50);
    await clock.set(0);
    const began = performance.now();
    expect(await ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

test.skipIf(clockLibrary === undefined)(
  "the log tells a clock that tokens cannot bear, and the metric by how much",
  async () => {
    const clock = await wallClock(hour);
    const port = await freePort();
    const cluster = await startCluster({
      env: { ...clock.env, AUTHKIT_METRICS_LISTEN_ADDR: `127.0.0.1:${port}` },
    });
    try {
      await until("the warning", 20, () => cluster.output().includes('"clock_offset_seconds":3600'));
      const metrics = await request(`http://127.0.0.1:${port}/metrics`);
      const offset = Number(/^authkit_clock_offset_seconds.*? ([\d.]+)$/m.exec(metrics.text)?.[1]);
      expect(offset).toBeGreaterThan(hour - 2);
      expect(offset).toBeLessThan(hour + 2);
    } finally {
      await cluster.stop();
      await clock.remove();
    }
  },
);

test.runIf(clockLibrary === undefined)(clockLibraryMissing, ({ skip }) => skip());
