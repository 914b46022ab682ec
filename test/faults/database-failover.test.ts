import { afterAll, beforeAll, expect, test } from "vitest";
import { newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { onlyOutage, startLoad } from "../support/load.ts";
import { lostOf, recoveryMs, until } from "../support/outcome.ts";
import { type ReplicatedPostgres, startReplicatedPostgres } from "../support/replicated.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp.ts";

let postgres: ReplicatedPostgres;
let mail: SmtpSink;
let cluster: TestCluster;

beforeAll(async () => {
  [postgres, mail] = await Promise.all([startReplicatedPostgres(), startSmtpSink()]);
  cluster = await startCluster({
    databaseUrl: postgres.url,
    env: {
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
      AUTHKIT_SMTP_URL: mail.url,
      AUTHKIT_MAIL_FROM: "auth@example.com",
    },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await Promise.all([postgres?.remove(), mail?.stop()]);
});

async function asksForCode(email: string): Promise<boolean> {
  const body = { identifier: email, mode: "code" };
  const reply = await request(`${cluster.api}/passwordless/start`, { body });
  return reply.status < 300;
}

test("the primary is lost under load: its standby takes over within two seconds of its promotion, with all that was acknowledged", async () => {
  const load = await startLoad(cluster);
  await until("load is under way", 20, () => load.acknowledged.length > 10 && load.created.length > 10);
  const early = newPerson().email;
  expect(await asksForCode(early)).toBe(true);

  await postgres.primary.crash();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await request(`${cluster.url}/readyz`)).status).toBe(503);
  await postgres.promote();
  const late = newPerson().email;
  expect(await recoveryMs(() => asksForCode(late))).toBeLessThan(2_000);

  const seen = { registered: load.acknowledged.length, created: load.created.length };
  await until("every kind of request succeeds again", 20, () => {
    return load.acknowledged.length > seen.registered + 10 && load.created.length > seen.created + 10;
  });
  await load.stop();
  onlyOutage(load);
  expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
  // The queue's worker went along.
  await mail.waitFor(late, 20_000);
  await mail.waitFor(early, 20_000);
  const received = mail.messages().flatMap(({ to }) => to);
  expect(received.filter((to) => to === late)).toHaveLength(1);
}, 120_000);
