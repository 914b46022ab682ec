import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createRemoteClient } from "../../src/client/index.ts";
import { startCluster } from "../support/cluster.ts";
import { createTestDatabase } from "../support/postgres.ts";

let directory: string;
let path: string;
let database: Awaited<ReturnType<typeof createTestDatabase>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "authkit-bootstrap-"));
  path = join(directory, "bootstrap.yaml");
  database = await createTestDatabase(inject("postgresUrl"));
});
afterAll(async () => {
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

const env = () => ({ AUTHKIT_BOOTSTRAP_PATH: path });

test("a server sets an empty database up once, and then leaves it alone", async () => {
  await writeFile(
    path,
    `users:
  - { username: operator, email: ops@example.com, root_role: owner, password: { plaintext: change-me-now } }
dev: { static_entitlements: [pro, beta] }
`,
  );
  const cluster = await startCluster({ databaseUrl: database.url, env: env() });
  let userId: string;
  try {
    const client = createRemoteClient(cluster.url, cluster.managementToken);
    userId = (await client.getUserByUsername({ username: "operator" })).id;
    expect(await client.verifyUserPassword({ userId, pass: "change-me-now" })).toBe(true);
    expect(await client.listEntitlements({ userId })).toEqual(["pro", "beta"]);
    await client.adminSetPassword({ userId, new: "another password" });
  } finally {
    await cluster.stop();
  }

  const again = await startCluster({ databaseUrl: database.url, env: env() });
  try {
    const client = createRemoteClient(again.url, again.managementToken);
    expect(await client.adminCountUsers({ opts: {} })).toBe(1);
    expect(await client.verifyUserPassword({ userId, pass: "another password" })).toBe(true);
    expect(again.output()).toContain("manifest was applied before");
  } finally {
    await again.stop();
  }
}, 90_000);

test("a TOTP key that cannot be used keeps the server from starting, before a worker is forked", async () => {
  await writeFile(join(directory, "totp.key"), "short", { mode: 0o600 });
  const output = await startCluster({ env: { AUTHKIT_KEYS_PATH: directory } }).catch(String);
  expect(output).toContain(`${join(directory, "totp.key")} must hold 16, 24 or 32 bytes`);
  expect(output).not.toContain('"slot":');
}, 60_000);

test("a manifest that is wrong keeps the server from starting, and says why", async () => {
  await writeFile(path, "users: [{usernme: x}]");
  await expect(startCluster({ env: env() })).rejects.toThrow("users[0].usernme: unknown");
}, 60_000);
