import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { behindProxy } from "../support/accounts.ts";
import { startCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { journey } from "../support/journey.ts";
import { nothingFailed, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost } from "../support/outcome.ts";
import { startPgBouncer } from "../support/pgbouncer.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startSmtpSink } from "../support/smtp.ts";

// Debian's PgBouncer (1.18) does not track prepared statements.
describe("behind PgBouncer in transaction mode", () => {
  test("everything works, migrations and the rotation of keys included, and load loses nothing", async ({
    annotate,
  }) => {
    const mail = await startSmtpSink();
    const pooler = await startPgBouncer(inject("postgresUrl"));
    const database = await createTestDatabase(inject("postgresUrl"));
    const cluster = await startCluster({
      databaseUrl: `${pooler.url(database.url)}?prepared_statements=false`,
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
      const rotated = spawnSync(process.execPath, ["src/cli/main.ts", "keys", "rotate"], {
        cwd: join(import.meta.dirname, "../.."),
        env: { ...cluster.env },
        encoding: "utf8",
      });
      expect(rotated.status, rotated.stdout + rotated.stderr).toBe(0);
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
  }, 240_000);

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
