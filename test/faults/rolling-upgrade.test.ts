import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { newPerson } from "../support/accounts.ts";
import { startCluster, type Target, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { nothingFailed, startLoad } from "../support/load.ts";
import { lostOf, until } from "../support/outcome.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { makeRelease, type TestRelease } from "../support/release.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp.ts";

/** What a release typically adds to the busiest tables: columns the one before does not know, one of them with a default. */
const addition = `
ALTER TABLE {{schema}}.users ADD COLUMN further_note text;
ALTER TABLE {{schema}}.refresh_sessions ADD COLUMN further_count integer NOT NULL DEFAULT 0;
CREATE INDEX users_further_idx ON {{schema}}.users (further_note) WHERE further_note IS NOT NULL;
`;

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

test("a node of the next release takes over from one of the release before under load, and nothing fails", async () => {
  const shared = {
    AUTHKIT_CONFIG: await unlimited(),
    AUTHKIT_REDIS_KEY_PREFIX: `upgrade${randomBytes(4).toString("hex")}:`,
    AUTHKIT_KEYRING_SECRET: "33".repeat(32),
    AUTHKIT_ISSUER: "https://auth.test",
    AUTHKIT_PASSWORDLESS: "true",
    AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
    AUTHKIT_SMTP_URL: mail.url,
    AUTHKIT_MAIL_FROM: "auth@example.com",
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
  const load = await startLoad(target);
  const asked: string[] = [];
  const failed: string[] = [];
  let asking = true;
  const messages = (async () => {
    while (asking) {
      const { email } = newPerson();
      const body = { identifier: email, mode: "code" };
      const reply = await request(`${target.api}/passwordless/start`, { body });
      if (reply.status < 300) asked.push(email);
      else failed.push(`${reply.status} ${reply.text}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  const more = async (what: string): Promise<void> => {
    const seen = {
      registered: load.acknowledged.length,
      created: load.created.length,
      asked: asked.length,
    };
    await until(what, 30, () => {
      return (
        load.acknowledged.length > seen.registered + 10 &&
        load.created.length > seen.created + 10 &&
        asked.length > seen.asked + 5
      );
    });
  };
  await more("the old node serves");

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
  await more("the old node serves on with the new tables");

  const successor = await startCluster({
    databaseUrl: database.url,
    program: next.directory,
    startTimeout: 90,
    env: { ...shared, AUTHKIT_MIGRATE_ON_START: "false" },
  });
  nodes.push(successor);
  inService = [old, successor];
  await more("both serve side by side");

  inService = [successor];
  expect(await old.stop()).toBe(0);
  await more("the new node serves alone");
  asking = false;
  await Promise.all([load.stop(), messages]);

  nothingFailed(load);
  expect(failed).toEqual([]);
  expect(await lostOf(successor, load)).toEqual({ accounts: [], sessions: [] });
  // Backing out: the release before starts on the newer schema, says so, and serves what the newer one stored.
  const back = await startCluster({
    databaseUrl: database.url,
    program: previous.directory,
    startTimeout: 90,
    env: { ...shared, AUTHKIT_MIGRATE_ON_START: "false", AUTHKIT_SMTP_URL: undefined },
  });
  nodes.push(back);
  expect(back.output()).toMatch(
    /"newer":\["[0-9]{4}_[a-z_]+","[0-9]{4}_further"\].*the schema is a newer release's/,
  );
  expect(await lostOf(back, load)).toEqual({ accounts: [], sessions: [] });
  await until("every message is there", 20, () => mail.messages().length >= asked.length);
  // Each once, although two nodes worked on the queue.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const received = mail.messages().flatMap(({ to }) => to);
  expect([...received].sort()).toEqual([...asked].sort());
}, 400_000);
