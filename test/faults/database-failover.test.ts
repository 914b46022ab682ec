import { afterAll, beforeAll, expect, test } from "vitest";
import { newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type FaultyPostgres, unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { onlyOutage, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost } from "../support/outcome.ts";
import { postgresAnswers, recovers } from "../support/recovery.ts";
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

test.for<[string, (primary: FaultyPostgres) => Promise<void> | void, number]>([
  ["is killed", (primary) => primary.crash(), 1_000],
  // No connection is closed, none is refused: nothing comes back any more.
  ["vanishes", (primary) => primary.hang(), 3_000],
])(
  "the primary %s under load: within two seconds of its promotion the standby serves all that was acknowledged",
  { timeout: 300_000 },
  async (row, { annotate }) => {
    const [, lose, awayMs] = row;
    const postgres = await startReplicatedPostgres();
    const cluster = await startCluster({
      databaseUrl: postgres.url,
      env: {
        AUTHKIT_CONFIG: await unlimited(),
        ...sending(mail),
      },
    });
    try {
      const load = await startLoad(cluster, { mail });
      await everyKindSucceeds(load);
      const early = newPerson().email;
      expect(await asksForCode(cluster, early)).toBe(true);

      await lose(postgres.primary);
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      expect((await request(`${cluster.url}/readyz`)).status).toBe(503);
      const late = newPerson().email;
      await recovers({
        of: "the standby",
        back: () => postgres.promote(),
        answers: () => postgresAnswers(postgres.standby.url),
        serves: () => asksForCode(cluster, late),
        tell: annotate,
      });

      await everyKindSucceeds(load, 10);
      await load.stop();
      onlyOutage(load);
      await nothingLost({ ...cluster, databaseUrl: postgres.standby.url }, load, annotate);
      // The queue's worker went along.
      await mail.waitFor(late, 60_000);
      await mail.waitFor(early, 60_000);
      const received = mail.messages().flatMap(({ to }) => to);
      expect(received.filter((to) => to === late)).toHaveLength(1);
    } finally {
      await cluster.stop();
      await postgres.remove();
    }
  },
);
