import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AuthError, type Client, createRemoteClient, type MethodKey } from "../../src/client/index.ts";
import { loadProcessConfig } from "../../src/config/index.ts";
import { methodRows } from "../../src/contract/methods/index.ts";
import { silentLog } from "../../src/platform/log/port.ts";
import { createEmbeddedClient, type EmbeddedClient } from "../../workers/embedded.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import type { Cases, World } from "./management/case.ts";
import { groupCases } from "./management/group-cases.ts";
import { knowIssuer, machineCases } from "./management/machine-cases.ts";
import { operationCases } from "./management/operation-cases.ts";
import { passwordlessCases } from "./management/passwordless-cases.ts";
import { roleCases } from "./management/role-cases.ts";
import { userCases } from "./management/user-cases.ts";

const cases: Cases = {
  ...userCases,
  ...operationCases,
  ...groupCases,
  ...roleCases,
  ...machineCases,
  ...passwordlessCases,
};
const rows = methodRows;

const yaml = `
personas:
  - name: root
    capabilities: { api_keys: true, remote_applications: true }
    roles:
      - { name: auditor, permissions: ["root:users:read"] }
      - { name: clerk, permissions: ["root:members:manage", "root:members:read"] }
      - { name: guard, permissions: ["root:users:read"], requires_mfa: true }
  - name: org
    parent: root
    capabilities: { api_keys: true, remote_applications: true }
    roles:
      - { name: member, permissions: ["org:members:read"] }
      - { name: clerk, permissions: ["org:members:manage", "org:members:read"] }
      - { name: keeper, permissions: ["org:credentials:manage", "org:credentials:read"] }
      - { name: writer, permissions: ["org:settings:manage", "org:members:manage", "org:credentials:manage"] }
      - { name: guard, permissions: ["org:members:read"], requires_mfa: true }
  - name: unit
    parent: org
  - name: studio
    parent: root
    capabilities: { api_keys: true, custom_roles: true }
  - name: vault
    parent: root
    roles:
      - { name: owner, permissions: ["vault:*"], requires_mfa: true }
`;

let cluster: TestCluster;
let database: pg.Client;
let embedded: EmbeddedClient<"0.73">;
let stateDirectory: string;
const clients: Record<string, Client> = {};

beforeAll(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "authkit-embedded-"));
  const file = join(stateDirectory, "authkit.yaml");
  await writeFile(file, yaml);
  cluster = await startCluster({ env: { AUTHKIT_CONFIG: file, AUTHKIT_PASSWORDLESS: "true" } });
  knowIssuer(cluster.url);
  const { config } = loadProcessConfig({ ...cluster.env, AUTHKIT_STATE_DIR: stateDirectory });
  embedded = await createEmbeddedClient({ config, log: silentLog });
  clients["remote"] = createRemoteClient(cluster.url, cluster.managementToken);
  clients["embedded"] = embedded.client;
  database = new pg.Client({ connectionString: cluster.databaseUrl });
  await database.connect();
}, 60_000);

afterAll(async () => {
  await database?.end();
  await embedded?.close();
  await cluster?.stop();
  if (stateDirectory !== undefined) await rm(stateDirectory, { recursive: true, force: true });
});

let count = 0;

async function newWorld(client: Client): Promise<World> {
  const tag = `w${process.pid}x${++count}`;
  const names = [`a_${tag}`, `b_${tag}`];
  const { results } = await client.importUsers({
    inputs: names.map((username, place) => ({
      username,
      email: `${username}@example.com`,
      phoneNumber: `+1${String(4_000_000_000 + count * 2 + place)}`,
    })),
  });
  const [userId, otherId] = results.map((result) => result.userId);
  if (!userId || !otherId) throw new Error("the accounts of a case were not created");
  return {
    client,
    tag,
    userId,
    otherId,
    username: `a_${tag}`,
    otherUsername: `b_${tag}`,
    email: `a_${tag}@example.com`,
    otherEmail: `b_${tag}@example.com`,
    phone: `+1${4_000_000_000 + count * 2}`,
  };
}

function invoke(client: Client, key: MethodKey, args: unknown): Promise<unknown> {
  const call: unknown = Reflect.get(client, key);
  if (typeof call !== "function") throw new Error(`the client lacks ${key}`);
  return Object.keys(Object(args)).length === 0 ? call() : call(args);
}

/** The parts of a case without its method's types, which a loop over all methods cannot keep apart. */
interface AnyCase {
  readonly args?: (world: World) => unknown;
  readonly before?: (world: World) => Promise<unknown>;
  readonly check?: (result: never, world: World) => void | Promise<void>;
  readonly errors?: Readonly<Record<string, (world: World) => unknown>>;
  readonly unreachable?: Readonly<Record<string, string>>;
}

function caseOf(key: MethodKey): AnyCase {
  return cases[key] ?? {};
}

const called = "action = 'management.called' AND details ->> 'method' = $1";

/** The one row the call has written. */
async function auditRow(method: string): Promise<Record<string, unknown>> {
  const { rows: found } = await database.query(
    `SELECT actor, target, outcome, request_id FROM profiles.audit_log WHERE ${called}`,
    [method],
  );
  expect(found).toHaveLength(1);
  return found[0];
}

async function forgetCalls(method: string): Promise<void> {
  await database.query(`DELETE FROM profiles.audit_log WHERE ${called}`, [method]);
}

test("every method and every documented error has its case", () => {
  const missing = rows.filter(([key]) => cases[key] === undefined).map(([, { name }]) => name);
  const errors = rows.flatMap(([key, { name, errors: documented }]) => {
    const known = { ...caseOf(key).errors, ...caseOf(key).unreachable };
    return documented.filter((code) => !Object.hasOwn(known, code)).map((code) => `${name} ${code}`);
  });
  expect({ missing, errors }).toEqual({ missing: [], errors: [] });
});

describe.each(["remote", "embedded"])("through the %s client", (kind) => {
  const client = (): Client => {
    const found = clients[kind];
    if (found === undefined) throw new Error("no client");
    return found;
  };

  test.each(rows)("%s", async (key, method) => {
    const one = caseOf(key);
    if (one.args !== undefined) {
      const world = await newWorld(client());
      await one.before?.(world);
      await forgetCalls(method.name);
      const args = one.args(world);
      const result = await invoke(client(), key, args);
      if (method.mutates !== undefined) {
        const row = await auditRow(method.name);
        expect(row).toMatchObject({ actor: "management", outcome: "ok" });
        expect(row["request_id"]).toMatch(/\S/);
        const [id] = method.mutates.args ?? [];
        if (id === "userId" || id === "id") expect(row["target"]).toBe(`user:${Object(args)[id]}`);
      }
      await one.check?.(result as never, world);
    }
    for (const [code, args] of Object.entries(one.errors ?? {})) {
      const given = await args(await worldFor(key));
      await forgetCalls(method.name);
      const error = await invoke(client(), key, given).catch((reason: unknown) => reason);
      expect(error, `${method.name} should answer ${code}`).toBeInstanceOf(AuthError);
      expect(error).toMatchObject({ code });
      if (method.mutates !== undefined) expect(await auditRow(method.name)).toMatchObject({ outcome: code });
    }
  });

  const worlds = new Map<MethodKey, Promise<World>>();
  /** One world for all errors of a method: refused calls leave nothing behind that could disturb the next. */
  function worldFor(key: MethodKey): Promise<World> {
    const world = worlds.get(key) ?? newWorld(client());
    worlds.set(key, world);
    return world;
  }
});

test("cancelling an embedded call cancels its SQL and undoes it", async () => {
  const world = await newWorld(embedded.client);
  const holder = new pg.Client({ connectionString: cluster.databaseUrl });
  await holder.connect();
  try {
    await holder.query("BEGIN");
    await holder.query("SELECT 1 FROM profiles.users WHERE id = $1 FOR UPDATE", [world.userId]);
    const controller = new AbortController();
    const call = embedded.client.updateUsername(
      { id: world.userId, username: `gone_${world.tag}` },
      { signal: controller.signal },
    );
    const waiting = async () => {
      const { rows: found } = await database.query(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'authkit embedded' AND wait_event_type = 'Lock'",
      );
      return found[0]?.n;
    };
    await expect.poll(waiting, { timeout: 10_000 }).toBe(1);
    const reason = new Error("no longer wanted");
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect.poll(waiting, { timeout: 10_000 }).toBe(0);
    await holder.query("ROLLBACK");
    expect((await embedded.client.adminGetUser({ id: world.userId })).username).toBe(world.username);
  } finally {
    await holder.end();
  }
});
