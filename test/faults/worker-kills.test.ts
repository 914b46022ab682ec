import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { onlyUnavailable, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, until } from "../support/outcome.ts";
import { type WorkerKind, workersOf } from "../support/processes.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp.ts";

let mail: SmtpSink;
let cluster: TestCluster;

beforeAll(async () => {
  mail = await startSmtpSink();
  cluster = await startCluster({ env: { AUTHKIT_CONFIG: await unlimited(), ...sending(mail) } });
});
afterAll(async () => {
  await cluster?.stop();
  await mail?.stop();
});

async function healthy(): Promise<boolean> {
  try {
    const ready = await request(`${cluster.url}/readyz`);
    return ready.status === 200;
  } catch {
    return false;
  }
}

describe("kill -9 of a worker under load", () => {
  test.for<[WorkerKind, number]>([
    ["http", 2],
    ["management", 1],
    ["hashing", 1],
    ["jobs", 1],
  ])(
    "%s: it comes back, and nothing acknowledged is lost",
    { timeout: 240_000 },
    async ([kind, expected], { annotate }) => {
      const load = await startLoad(cluster, { mail });
      await everyKindSucceeds(load);
      const [victim = 0] = workersOf(cluster.pid, kind);
      process.kill(victim, "SIGKILL");
      await until(`a new ${kind} worker`, 60, () => {
        const now = workersOf(cluster.pid, kind);
        return now.length === expected && !now.includes(victim);
      });
      await everyKindSucceeds(load);
      await until("readiness", 10, healthy);
      await load.stop();

      onlyUnavailable(load);
      // Only the worker that held the connection may cost answers.
      if (kind !== "http") expect(load.light.unanswered).toBe(0);
      if (kind === "jobs") expect(load.registrations.unanswered + load.refreshes.unanswered).toBe(0);
      await nothingLost(cluster, load, annotate);
    },
  );

  test("an account registered before a kill signs in after it, with one session each time", async () => {
    const person = newPerson();
    const body = { identifier: person.email, username: person.username, password: person.password };
    expect((await request(`${cluster.api}/register`, { body })).status).toBe(202);
    for (const pid of workersOf(cluster.pid, "http")) process.kill(pid, "SIGKILL");
    await until("readiness", 20, healthy);
    const login = await request(`${cluster.api}/password/login`, {
      body: { email: person.email, password: person.password },
    });
    expect(login.status).toBe(200);
    const list = await request(`${cluster.api}/user/sessions`, {
      bearer: String(login.body["access_token"]),
    });
    expect(list.status).toBe(200);
  });
});
