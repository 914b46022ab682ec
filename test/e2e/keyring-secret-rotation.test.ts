import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { api, behindProxy, messageTo, newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { command } from "../support/command.ts";
import { unlimited } from "../support/faulty.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { reload } from "../support/reload.ts";

const [older, newer] = ["11".repeat(32), "22".repeat(32)];

let directory: string;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
const nodes: TestCluster[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "authkit-keyring-"));
  database = await createTestDatabase(inject("postgresUrl"));
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

/** The secrets of a node, in files it reads when it starts and when it is reloaded. */
async function give(node: string, current: string, former: string): Promise<Record<string, string>> {
  const [currentFile, formerFile] = [join(directory, node), join(directory, `${node}-former`)];
  await writeFile(currentFile, `${current}\n`);
  await writeFile(formerFile, `${former}\n`);
  return { AUTHKIT_KEYRING_SECRET_FILE: currentFile, AUTHKIT_KEYRING_FORMER_SECRETS_FILE: formerFile };
}

test("a key-ring secret is exchanged on two nodes, one after the other: tokens, codes and keys stay good", async () => {
  const shared = {
    ...behindProxy,
    AUTHKIT_CONFIG: await unlimited(),
    AUTHKIT_ISSUER: "https://auth.test",
    AUTHKIT_REDIS_KEY_PREFIX: `keyring${randomBytes(4).toString("hex")}:`,
    AUTHKIT_PASSWORDLESS: "true",
    AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
    AUTHKIT_HTTP_WORKERS: "1",
  };
  const start = async (secrets: Record<string, string>): Promise<TestCluster> => {
    const node = await startCluster({
      databaseUrl: database.url,
      startTimeout: 90,
      env: { ...shared, ...secrets },
    });
    nodes.push(node);
    return node;
  };
  // 1. Both nodes know the secret to come.
  const first = await start(await give("first", older, newer));
  const second = await start(await give("second", older, newer));

  /** Signs in by a code one node sends and the other confirms; the one that sent it takes the token. */
  async function acrossNodes(from: TestCluster, to: TestCluster): Promise<string> {
    const { email } = newPerson();
    expect((await api(from, "/passwordless/start", { body: { email, mode: "code" } })).status).toBe(202);
    const { code } = await messageTo(from, email);
    const reply = await api(to, "/passwordless/confirm", { body: { identifier: email, code } });
    expect(reply.status, reply.text).toBe(200);
    const bearer = String(reply.body["access_token"]);
    expect((await api(from, "/me", { bearer })).status).toBe(200);
    return bearer;
  }
  const { accessToken } = await registered(first);
  const pending = newPerson();
  await api(first, "/passwordless/start", { body: { email: pending.email, mode: "code" } });
  const { code: pendingCode } = await messageTo(first, pending.email);
  expect(command(first, ["keys", "rotate"]).code).toBe(0);

  // 2. One seals with it, the other not yet.
  await give("second", newer, older);
  await reload(second);
  await acrossNodes(first, second);
  await acrossNodes(second, first);
  const outstanding = await api(second, "/passwordless/confirm", {
    body: { identifier: pending.email, code: pendingCode },
  });
  expect(outstanding.status, outstanding.text).toBe(200);
  await give("first", newer, older);
  await reload(first);
  await acrossNodes(first, second);

  // 3. What the former one sealed is sealed anew, beside the running nodes.
  expect(command(first, ["keys", "reseal"])).toMatchObject({
    code: 0,
    text: expect.stringContaining("signing keys: 2 of 2 sealed anew\n"),
  });
  expect(command(second, ["keys", "reseal"]).text).toContain("signing keys: 0 of 2 sealed anew\n");

  // 4. The former one goes, from one node first.
  await writeFile(join(directory, "second-former"), newer);
  await reload(second);
  const bearer = await acrossNodes(first, second);
  for (const node of nodes) {
    for (const token of [bearer, accessToken])
      expect((await api(node, "/me", { bearer: token })).status).toBe(200);
    expect(node.output()).not.toMatch(/"level":"?(error|fatal|50|60)/);
  }

  // With the former one alone nothing can be signed: the commands, and a node, say which setting is wrong.
  const wrong = await give("wrong", older, older);
  const refused = command(first, ["keys", "list"], wrong);
  expect(refused.code).toBe(1);
  expect(refused.text).toMatch(
    /KEYRING_SECRET nor AUTHKIT_KEYRING_FORMER_SECRETS open signing key .* add that one to AUTHKIT_KEYRING_FORMER_SECRETS/,
  );
  expect(command(first, ["keys", "reseal"], wrong).code).toBe(1);
  await expect(start(wrong)).rejects.toThrow(/add that one to AUTHKIT_KEYRING_FORMER_SECRETS/);
}, 480_000);
