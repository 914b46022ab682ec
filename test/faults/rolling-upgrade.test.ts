import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startCluster, type Target, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { nothingFailed, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost } from "../support/outcome.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { makeRelease, type TestRelease } from "../support/release.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp.ts";

/** What a release typically adds to the busiest tables: columns the one before does not know, one of them with a default. */
const addition = `
ALTER TABLE {{schema}}.users ADD COLUMN further_note text;
ALTER TABLE {{schema}}.refresh_sessions ADD COLUMN further_count integer NOT NULL DEFAULT 0;
CREATE INDEX users_further_idx ON {{schema}}.users (further_note) WHERE further_note IS NOT NULL;
`;

/**
 * Today's program without its newest migration: what is proved is that tables and processes of two releases go together, not that the code of a
 * particular release of the past does, which only exists once there are two.
 */
let previous: TestRelease;
let next: TestRelease;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let mail: SmtpSink;
const nodes: TestCluster[] = [];

beforeAll(async () => {
  [previous, next, database, mail] = await Promise.all([
    makeRelease({ without: 1 }),
    makeRelease({ further: [addition] }),
    createTestDatabase(inject("postgresUrl")),
    startSmtpSink(),
  ]);
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await Promise.all([previous?.remove(), next?.remove(), database?.drop(), mail?.stop()]);
});

/** A balancer: every request to the next of the nodes in service. */
function balancer(inService: () => readonly TestCluster[]): Target {
  let turn = 0;
  const node = (): TestCluster => {
    const candidates = inService();
    const chosen = candidates[turn++ % candidates.length];
    if (chosen === undefined) throw new Error("no node is in service");
    return chosen;
  };
  return {
    get url() {
      return node().url;
    },
    get api() {
      return node().api;
    },
    get managementToken() {
      return node().managementToken;
    },
    databaseUrl: database.url,
  };
}

async function versions(): Promise<number[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    const { rows } = await client.query("SELECT version FROM profiles.schema_migrations ORDER BY version");
    return rows.map((row: { version: number }) => row.version);
  } finally {
    await client.end();
  }
}

test("a node of the next release takes over from one of the release before under load, and nothing fails", async ({
  annotate,
}) => {
  await annotate("the release before is today's program without its newest migration");
  const shared = {
    AUTHKIT_CONFIG: await unlimited(),
    AUTHKIT_REDIS_KEY_PREFIX: `upgrade${randomBytes(4).toString("hex")}:`,
    AUTHKIT_KEYRING_SECRET: "33".repeat(32),
    AUTHKIT_ISSUER: "https://auth.test",
    ...sending(mail),
    AUTHKIT_HTTP_WORKERS: "1",
  };
  const old = await startCluster({
    databaseUrl: database.url,
    program: previous.directory,
    startTimeout: 90,
    env: shared,
  });
  nodes.push(old);
  const before = await versions();
  let inService: readonly TestCluster[] = [old];
  const target = balancer(() => inService);
  const load = await startLoad(target, { mail });
  await everyKindSucceeds(load, 10);

  // A node of the next release that comes too early must not serve.
  const early = startCluster({
    databaseUrl: database.url,
    program: next.directory,
    env: { ...shared, AUTHKIT_MIGRATE_ON_START: "false", AUTHKIT_ENV: "production" },
  });
  await expect(early).rejects.toThrow(/lacks 2 migration/);

  const migrated = await promisify(execFile)(process.execPath, ["src/cli/main.ts", "migrate", "up"], {
    cwd: next.directory,
    env: { ...old.env },
  });
  expect(migrated.stdout).toContain("migrations applied");
  expect(await versions()).toEqual([...before, before.length + 1, before.length + 2]);
  // The old node serves on with the new tables.
  await everyKindSucceeds(load, 10);

  const successor = await startCluster({
    databaseUrl: database.url,
    program: next.directory,
    startTimeout: 90,
    env: { ...shared, AUTHKIT_MIGRATE_ON_START: "false" },
  });
  nodes.push(successor);
  inService = [old, successor];
  await everyKindSucceeds(load, 10);

  inService = [successor];
  expect(await old.stop()).toBe(0);
  await everyKindSucceeds(load, 10);
  await load.stop();

  nothingFailed(load);
  // Backing out: the release before starts on the newer schema, says so, and serves what the newer one stored.
  const back = await startCluster({
    databaseUrl: database.url,
    program: previous.directory,
    startTimeout: 90,
    env: { ...shared, AUTHKIT_MIGRATE_ON_START: "false" },
  });
  nodes.push(back);
  expect(back.output()).toMatch(
    /"newer":\["[0-9]{4}_[a-z_]+","[0-9]{4}_further"\].*the schema is a newer release's/,
  );
  // Messages each once, although several nodes worked on the queue.
  await nothingLost(back, load, annotate, { repeats: 0 });
}, 400_000);
