import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hash as argon2 } from "@node-rs/argon2";
import { hash as bcrypt } from "@node-rs/bcrypt";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, request, type TestReply } from "../support/http.ts";
import { freePort } from "../support/ports.ts";
import { createTestDatabase } from "../support/postgres.ts";

const root = join(import.meta.dirname, "../..");

/** Names of the fixture's people that these tests look at. */
const alice = "0190a0a0-0000-7000-8000-000000000001";
const bob = "0190a0a0-0000-7000-8000-000000000002";

/** Refresh tokens that were handed out before the adoption: 43 characters of base64url. */
const live = `${"A".repeat(42)}1`;
const predecessor = `${"A".repeat(42)}0`;
const ended = `${"A".repeat(42)}2`;

/** What people brought: hashes as the contract's servers wrote them, and one that needs a rehash. */
async function prepare(client: pg.Client, issuer: string): Promise<void> {
  const token = (text: string): Buffer => createHash("sha256").update(text).digest();
  const setPassword = "UPDATE profiles.user_passwords SET password_hash = $2 WHERE user_id = $1";
  await client.query(setPassword, [
    alice,
    await argon2("alice's password", { memoryCost: 4096, timeCost: 1, parallelism: 1 }),
  ]);
  await client.query(setPassword, [bob, await bcrypt("bob's password", 5)]);
  await client.query("DELETE FROM profiles.mfa_settings WHERE user_id = $1", [alice]);
  await client.query("DELETE FROM profiles.mfa_factors WHERE user_id = $1", [alice]);
  await client.query("UPDATE profiles.refresh_sessions SET issuer = $1", [issuer]);
  const setTokens =
    "UPDATE profiles.refresh_sessions SET current_token_hash = $2, previous_token_hash = $3 WHERE user_id = $1";
  await client.query(setTokens, [alice, token(live), token(predecessor)]);
  await client.query(setTokens, [bob, token(ended), null]);
}

async function counts(client: pg.Client): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of [
    "users",
    "user_passwords",
    "user_providers",
    "refresh_sessions",
    "user_passkeys",
    "api_keys",
  ]) {
    const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM profiles.${table}`);
    found[table] = rows[0]?.n ?? -1;
  }
  return found;
}

describe.each(["0.73", "0.97"])("a database of the contract's generation %s", (generation) => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let client: pg.Client;
  let cluster: TestCluster | undefined;
  let env: Record<string, string>;
  let before: Record<string, number>;

  const migrate = (...args: string[]): { status: number | null; text: string } => {
    const result = spawnSync(process.execPath, ["src/cli/main.ts", "migrate", ...args], {
      cwd: root,
      env: { PATH: process.env["PATH"] ?? "", ...env },
      encoding: "utf8",
      timeout: 60_000,
    });
    return { status: result.status, text: result.stdout + result.stderr };
  };
  const served = (): TestCluster => {
    if (cluster === undefined) throw new Error("the cluster did not start");
    return cluster;
  };
  const login = (email: string, password: string): Promise<TestReply> =>
    request(`${served().api}/password/login`, { body: { email, password } });
  const refresh = (token: string): Promise<TestReply> =>
    request(`${served().api}/token`, { body: { grant_type: "refresh_token", refresh_token: token } });

  beforeAll(async () => {
    database = await createTestDatabase(inject("postgresUrl"));
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(
      readFileSync(join(root, `test/integration/migrations/fixtures/contract-${generation}.sql`), "utf8"),
    );
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await prepare(client, url);
    before = await counts(client);
    env = {
      DB_URL: database.url,
      AUTHKIT_ISSUER: url,
      AUTHKIT_LISTEN_ADDR: `127.0.0.1:${port}`,
      AUTHKIT_ENV: "test",
    };
  });
  afterAll(async () => {
    await cluster?.stop();
    await client?.end();
    await database?.drop();
  });

  test("is not served before somebody adopts it, and the refusal says how", () => {
    const refused = migrate("up");
    expect(refused.status).not.toBe(0);
    expect(refused.text).toContain("migrate adopt --adopt");
  });

  test("is reported on, rehearsed and converted, with every row", async () => {
    const report = migrate("adopt");
    expect(report.status).toBe(0);
    expect(report.text).toContain("users");
    expect(migrate("adopt", "--rehearse").status).toBe(0);
    expect(migrate("up").status).not.toBe(0);
    const adopted = migrate("--adopt");
    expect(adopted.status, adopted.text).toBe(0);
    expect(migrate("up").status).toBe(0);
    expect(migrate("status", "--check").status).toBe(0);
    expect(await counts(client)).toEqual(before);
    const { rows } = await client.query("SELECT customer FROM public.orders");
    expect(rows).toEqual([{ customer: alice }]);
  });

  test("signs its people in with the passwords they have", async () => {
    cluster = await startCluster({ env, databaseUrl: database.url, url: env["AUTHKIT_ISSUER"] ?? "" });
    const first = await login("alice@example.com", "alice's password");
    expect(first.status, first.text).toBe(200);
    expect((await login("alice@example.com", "Alice's password")).status).toBe(401);
    expect((await login("bob@example.com", "bob's password")).status).toBe(200);
    const { rows } = await client.query<{ password_hash: string }>(
      "SELECT password_hash FROM profiles.user_passwords WHERE user_id = $1",
      [bob],
    );
    expect(rows[0]?.password_hash).toMatch(/^\$argon2id\$/);
    expect((await login("bob@example.com", "bob's password")).status).toBe(200);
    const me = await request(`${served().api}/me`, { bearer: String(first.body["access_token"]) });
    expect(me.status).toBe(200);
    expect(me.body["email"]).toBe("alice@example.com");
  });

  test("keeps its sessions: live tokens rotate, ended and unknown ones do not", async () => {
    expect((await refresh(ended)).status).toBe(401);
    const rotated = await refresh(live);
    expect(rotated.status, rotated.text).toBe(200);
    expect((await refresh(String(rotated.body["refresh_token"]))).status).toBe(200);
    // Older than the previous token: unknown, which revokes nothing.
    expect((await refresh(predecessor)).status).toBe(401);
  });

  test("keeps bans, deletions, groups and keys", async () => {
    const carol = await call(served(), "GetUserByEmail", { email: "carol@example.com" });
    expect(carol.body["result"]).toMatchObject({ BannedAt: expect.stringContaining("2025-01-01") });
    const count = await call(served(), "AdminCountUsers", {});
    expect(count.status).toBe(200);
    const key = await client.query("SELECT key_id FROM profiles.api_keys");
    expect(key.rows).toEqual([{ key_id: "AAAABBBBCCCCDDDD" }]);
  });
});
