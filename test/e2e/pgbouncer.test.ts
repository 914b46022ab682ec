import { describe, expect, inject, test } from "vitest";
import { behindProxy } from "../support/accounts.ts";
import { startCluster } from "../support/cluster.ts";
import { command } from "../support/command.ts";
import { unlimited } from "../support/faulty.ts";
import { journey } from "../support/journey.ts";
import { nothingFailed, startLoad } from "../support/load.ts";
import { lostOf, until } from "../support/outcome.ts";
import { pgBouncerVersion, startPgBouncer, type TestPooler } from "../support/pgbouncer.ts";
import { createTestDatabase } from "../support/postgres.ts";

const { text: version, tracks } = pgBouncerVersion();

/** All kinds of work, a rotation of keys and load, with nothing lost. `query` goes to the connection string. */
async function worksBehind(pooler: TestPooler, query: string): Promise<void> {
  const database = await createTestDatabase(inject("postgresUrl"));
  const cluster = await startCluster({
    databaseUrl: `${pooler.url(database.url)}${query}`,
    startTimeout: 90,
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
      AUTHKIT_KEYRING_SECRET: "33".repeat(32),
    },
  });
  try {
    await journey(cluster);
    const load = await startLoad(cluster);
    await until("load is under way", 20, () => load.acknowledged.length > 3);
    const rotated = command(cluster, ["keys", "rotate"]);
    expect(rotated.code, rotated.text).toBe(0);
    const seen = load.acknowledged.length;
    await until("it goes on", 20, () => load.acknowledged.length > seen + 20);
    await load.stop();
    nothingFailed(load);
    expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
    await journey(cluster);
  } finally {
    await cluster.stop();
    await pooler.stop();
    await database.drop();
  }
}

describe("behind PgBouncer in transaction mode", () => {
  test("everything works, migrations and the rotation of keys included, and load loses nothing", async () => {
    await worksBehind(await startPgBouncer(inject("postgresUrl")), "?prepared_statements=false");
  }, 300_000);

  test("so it does with prepared statements where PgBouncer tracks them", async (context) => {
    if (!tracks) {
      const reason = `PgBouncer ${version} does not track prepared statements; 1.21 and later do`;
      await context.annotate(reason);
      context.skip(reason);
    }
    await worksBehind(await startPgBouncer(inject("postgresUrl"), 100), "");
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
