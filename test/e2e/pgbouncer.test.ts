import { describe, expect, inject, test } from "vitest";
import { behindProxy } from "../support/accounts.ts";
import { startCluster } from "../support/cluster.ts";
import { command } from "../support/command.ts";
import { unlimited } from "../support/faulty.ts";
import { journey } from "../support/journey.ts";
import { nothingFailed, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, type Tell } from "../support/outcome.ts";
import { pgBouncerVersion, startPgBouncer, type TestPooler } from "../support/pgbouncer.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startSmtpSink } from "../support/smtp.ts";

const { text: version, tracks } = pgBouncerVersion();

/** All kinds of work, a rotation of keys and load, with nothing lost. `query` goes to the connection string. */
async function worksBehind(pooler: TestPooler, query: string, annotate: Tell): Promise<void> {
  const mail = await startSmtpSink();
  const database = await createTestDatabase(inject("postgresUrl"));
  const cluster = await startCluster({
    databaseUrl: `${pooler.url(database.url)}${query}`,
    startTimeout: 90,
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: await unlimited(),
      ...sending(mail),
      AUTHKIT_KEYRING_SECRET: "33".repeat(32),
    },
  });
  try {
    await journey(cluster, mail);
    const load = await startLoad(cluster, { mail });
    await everyKindSucceeds(load);
    const rotated = command(cluster, ["keys", "rotate"]);
    expect(rotated.code, rotated.text).toBe(0);
    await everyKindSucceeds(load, 10);
    await load.stop();
    nothingFailed(load);
    await nothingLost(cluster, load, annotate);
    await journey(cluster, mail);
  } finally {
    await cluster.stop();
    await pooler.stop();
    await database.drop();
    await mail.stop();
  }
}

describe("behind PgBouncer in transaction mode", () => {
  test("everything works, migrations and the rotation of keys included, and load loses nothing", async ({
    annotate,
  }) => {
    const pooler = await startPgBouncer(inject("postgresUrl"));
    await worksBehind(pooler, "?prepared_statements=false", annotate);
  }, 300_000);

  test("so it does with prepared statements where PgBouncer tracks them", async (context) => {
    if (!tracks) {
      const reason = `PgBouncer ${version} does not track prepared statements; 1.21 and later do`;
      await context.annotate(reason);
      context.skip(reason);
    }
    const pooler = await startPgBouncer(inject("postgresUrl"), 100);
    await worksBehind(pooler, "", (message) => context.annotate(message));
  }, 300_000);

  test("a server that would use prepared statements does not start, and says what to do", async () => {
    const pooler = await startPgBouncer(inject("postgresUrl"));
    const database = await createTestDatabase(inject("postgresUrl"));
    try {
      const started = startCluster({ databaseUrl: pooler.url(database.url) });
      await expect(started).rejects.toThrow(/add prepared_statements=false to its query/);
    } finally {
      await pooler.stop();
      await database.drop();
    }
  });
});
