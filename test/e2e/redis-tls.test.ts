import { execFile } from "node:child_process";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, behindProxy, newAddress, newPerson, registered } from "../support/accounts.ts";
import { project, startCluster, type TestCluster } from "../support/cluster.ts";
import { journey } from "../support/journey.ts";
import { until } from "../support/outcome.ts";
import { documentedUser, type RedisUser, redisUserPrefix } from "../support/redis-rights.ts";
import {
  makeCertificates,
  startTlsRedis,
  type TestCertificates,
  type TlsRedis,
} from "../support/redis-tls.ts";

let certificates: TestCertificates;
let user: RedisUser;
let redis: TlsRedis;
let cluster: TestCluster;

beforeAll(async () => {
  user = await documentedUser();
  certificates = await makeCertificates();
  redis = await startTlsRedis(certificates, user);
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_REDIS_URL: `rediss://authkit:password@127.0.0.1:${redis.tlsPort}`,
      AUTHKIT_REDIS_CA_PEM: certificates.ca,
      AUTHKIT_REDIS_KEY_PREFIX: redisUserPrefix,
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
      AUTHKIT_TOTP_SECRET_KEY: "22".repeat(32),
    },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await redis?.stop();
  await certificates?.remove();
});

async function administer<T>(work: (client: Redis) => Promise<T>): Promise<T> {
  const login = { username: "administrator", password: "administrator" };
  const client = new Redis({ host: "127.0.0.1", port: redis.port, ...login, replyMapping: "legacy" });
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

/** Signs in with an authenticator app. */
async function withSecondFactor(): Promise<void> {
  const account = await registered(cluster);
  const bearer = account.accessToken;
  const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer });
  const code = (offset: number): string =>
    totpCode(String(started.body["secret"]), Math.floor(Date.now() / 1_000 / totpPeriod) + offset);
  const enrolled = await api(cluster, "/user/2fa", { body: { method: "totp", code: code(-1) }, bearer });
  expect(enrolled.status, enrolled.text).toBe(200);
  const { email, password } = account;
  const { body } = await api(cluster, "/password/login", { body: { email, password } });
  const answer = { user_id: body["user_id"], challenge: body["challenge"], code: code(0) };
  const verified = await api(cluster, "/2fa/verify", { body: answer });
  expect(verified.status, verified.text).toBe(200);
}

/** Asks for more codes than one address may. */
async function meetsLimit(): Promise<void> {
  const ip = newAddress();
  const statuses: number[] = [];
  for (let count = 0; count < 7; count++) {
    const body = { identifier: newPerson().email, mode: "code" };
    statuses.push((await api(cluster, "/passwordless/start", { body, ip })).status);
  }
  expect(statuses.slice(1)).toContain(429);
}

test("over TLS, with the rights the manual names and no others: sign-ins, refreshes, codes, second factors and limits work", async () => {
  await journey(cluster);
  await withSecondFactor();
  await meetsLimit();
  const denied = await administer((client) => client.call("ACL", "LOG"));
  expect(denied).toEqual([]);

  const granted = user.filter((rule) => rule.startsWith("+")).map((rule) => rule.slice(1));
  let unused = granted;
  // The subscribers say that they are alive every five seconds.
  await until(`each right to be used, not only all but ${unused}`, 20, async () => {
    const stats = await administer((client) => client.info("commandstats"));
    const used = new Set([...stats.matchAll(/^cmdstat_([^:]+):calls=/gm)].map(([, name]) => name));
    unused = granted.filter((name) => !used.has(name));
    return unused.length === 0;
  });
  const keys = await administer((client) => client.keys("*"));
  expect(keys.filter((key) => !key.startsWith(redisUserPrefix))).toEqual([]);
});

test("a certificate of an authority nobody named, and a wrong password, are refused and told", async () => {
  const doctor = (changes: Readonly<Record<string, string>>): Promise<string> =>
    new Promise((resolve) => {
      const env: Record<string, string> = { ...cluster.env, ...changes };
      const cut = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
      execFile(
        process.execPath,
        ["src/cli/main.ts", "doctor"],
        { cwd: project, env: cut },
        (_error, stdout) => resolve(/^.*Redis.*$/m.exec(stdout)?.[0] ?? stdout),
      );
    });
  const wrong = `rediss://authkit:wrong@127.0.0.1:${redis.tlsPort}`;
  const [right, stranger, password] = await Promise.all([
    doctor({}),
    doctor({ AUTHKIT_REDIS_CA_PEM: "" }),
    doctor({ AUTHKIT_REDIS_URL: wrong }),
  ]);
  expect(right).toMatch(/ok.*Redis \d/);
  expect(stranger).toMatch(/PROBLEM.*certificate/);
  expect(password).toMatch(/PROBLEM.*WRONGPASS/);
});
