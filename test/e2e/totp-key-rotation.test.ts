import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, behindProxy, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { command } from "../support/command.ts";
import { unlimited } from "../support/faulty.ts";
import { createTestDatabase } from "../support/postgres.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase(inject("postgresUrl"));
});
afterAll(() => database?.drop());

const [older, newer, newest] = ["11".repeat(32), "22".repeat(32), "33".repeat(32)];

/** Runs `work` on a server over the one database with those keys of TOTP secrets. */
async function under<T>(env: Record<string, string>, work: (cluster: TestCluster) => Promise<T>): Promise<T> {
  const cluster = await startCluster({
    databaseUrl: database.url,
    env: { ...behindProxy, AUTHKIT_CONFIG: await unlimited(), ...env },
  });
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

test("an exchanged key goes on opening authenticators, and is dispensable once they were used or sealed anew", async () => {
  let used = 0;
  /** The earliest code of the secret that was not used yet; steps next to the present one count as well. */
  async function nextCode(secret: string): Promise<string> {
    const present = Math.floor(Date.now() / 1000 / totpPeriod);
    used = Math.max(used + 1, present - 1);
    return totpCode(secret, used);
  }
  const { account, secret } = await under({ AUTHKIT_TOTP_SECRET_KEY: older }, async (cluster) => {
    const account = await registered(cluster);
    const bearer = account.accessToken;
    const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer });
    const secret = String(started.body["secret"]);
    const code = await nextCode(secret);
    const enrolled = await api(cluster, "/user/2fa", { body: { method: "totp", code }, bearer });
    expect(enrolled.body["enabled"], enrolled.text).toBe(true);
    return { account, secret };
  });
  async function signIn(cluster: TestCluster): Promise<number> {
    const { email, password } = account;
    const { body } = await api(cluster, "/password/login", { body: { email, password } });
    const { user_id, challenge } = body;
    const reply = await api(cluster, "/2fa/verify", {
      body: { user_id, challenge, code: await nextCode(secret) },
    });
    return reply.status;
  }
  expect(await under({ AUTHKIT_TOTP_SECRET_KEY: newer, AUTHKIT_TOTP_FORMER_KEYS: older }, signIn)).toBe(200);
  await under({ AUTHKIT_TOTP_SECRET_KEY: newer }, async (cluster) => {
    expect(await signIn(cluster)).toBe(200);
    // The next exchange does not wait for its owner: all are sealed anew at once.
    const reseal = (env: Record<string, string>) => command(cluster, ["keys", "reseal"], env);
    const alone = { AUTHKIT_TOTP_SECRET_KEY: newest };
    const refused = reseal(alone);
    expect(refused.code).toBe(1);
    expect(refused.text).toMatch(
      /TOTP secrets: 0 of 1 sealed anew\n.*1 open with no key: add .* AUTHKIT_TOTP_FORMER_KEYS/,
    );
    const exchanged = reseal({ ...alone, AUTHKIT_TOTP_FORMER_KEYS: newer });
    expect(exchanged).toMatchObject({
      code: 0,
      text: expect.stringContaining("TOTP secrets: 1 of 1 sealed anew\n"),
    });
    expect(reseal(alone)).toMatchObject({
      code: 0,
      text: expect.stringContaining("TOTP secrets: 0 of 1 sealed anew\n"),
    });
  });
}, 180_000);
