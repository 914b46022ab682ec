import { afterAll, beforeAll, expect, test } from "vitest";
import { newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type FaultyPostgres, unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { onlyOutage, startLoad } from "../support/load.ts";
import { lostOf, recoveredWithinMs, recoveryMs, until } from "../support/outcome.ts";
import { startReplicatedPostgres } from "../support/replicated.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp.ts";

let mail: SmtpSink;

beforeAll(async () => {
  mail = await startSmtpSink();
});
afterAll(() => mail?.stop());

async function asksForCode(cluster: TestCluster, email: string): Promise<boolean> {
  const body = { identifier: email, mode: "code" };
  const reply = await request(`${cluster.api}/passwordless/start`, { body });
  return reply.status < 300;
}

test.each<[string, (primary: FaultyPostgres) => Promise<void> | void, number]>([
  ["is killed", (primary) => primary.crash(), 1_000],
  // No connection is closed, none is refused: nothing comes back any more.
  ["vanishes", (primary) => primary.hang(), 3_000],
])(
  "the primary %s under load: within two seconds of its promotion the standby serves all that was acknowledged",
  async (...row) => {
    const [, lose, awayMs] = row;
    const postgres = await startReplicatedPostgres();
    const cluster = await startCluster({
      databaseUrl: postgres.url,
      env: {
        AUTHKIT_CONFIG: await unlimited(),
        AUTHKIT_PASSWORDLESS: "true",
        AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
        AUTHKIT_SMTP_URL: mail.url,
        AUTHKIT_MAIL_FROM: "auth@example.com",
      },
    });
    try {
      const load = await startLoad(cluster);
      await until("load is under way", 20, () => load.acknowledged.length > 10 && load.created.length > 10);
      const early = newPerson().email;
      expect(await asksForCode(cluster, early)).toBe(true);

      await lose(postgres.primary);
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      expect((await request(`${cluster.url}/readyz`)).status).toBe(503);
      await postgres.promote();
      const late = newPerson().email;
      expect(await recoveryMs(() => asksForCode(cluster, late))).toBeLessThan(recoveredWithinMs);

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
    } finally {
      await cluster.stop();
      await postgres.remove();
    }
  },
  120_000,
);
