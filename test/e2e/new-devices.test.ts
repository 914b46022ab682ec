import { afterAll, beforeAll, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, behindProxy, messagesTo, messageTo, type Person, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { until } from "../support/outcome.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({
    env: { ...behindProxy, AUTHKIT_CONFIG: await unlimited(), AUTHKIT_TOTP_SECRET_KEY: "22".repeat(32) },
  });
});
afterAll(() => cluster.stop());

const windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0";
const iphone =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

async function signIn({ email, password }: Person, userAgent: string): Promise<void> {
  const reply = await api(cluster, "/password/login", {
    body: { email, password },
    headers: { "user-agent": userAgent },
  });
  expect(reply.status).toBe(200);
}

/** Notices of new devices, oldest first. A password changed at last shows that no further one is on its way. */
async function devicesTold({ email }: Person): Promise<string[]> {
  return (await messagesTo(cluster, email)).flatMap(
    ({ text }) => /from a device or browser .*: (.*)\./.exec(text)?.[1] ?? [],
  );
}

test("the owner hears of a sign-in by a device that is new, once, and of no other", async () => {
  const account = await registered(cluster);
  await signIn(account, windows);
  await until("the first notice", 10, async () => (await devicesTold(account)).length === 1);
  await signIn(account, windows.replaceAll("128.0", "131.0.1"));
  await signIn(account, iphone);
  await until("the second notice", 10, async () => (await devicesTold(account)).length === 2);
  expect(await devicesTold(account)).toEqual(["Firefox, Windows", "Safari, iPhone"]);
});

test("a first sign-in is no news", async () => {
  const account = await registered(cluster);
  // Messages are delivered in order of their sending: this one comes after whatever the registration sent.
  await api(cluster, "/email/password/reset/request", { body: { email: account.email } });
  const first = await messageTo(cluster, account.email);
  expect(first.text).toContain("reset the password");
  expect(await devicesTold(account)).toEqual([]);
});

test("whoever runs out of backup codes is told", async () => {
  const account = await registered(cluster);
  const bearer = account.accessToken;
  const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer });
  const code = totpCode(String(started.body["secret"]), Math.floor(Date.now() / 1000 / totpPeriod));
  const enrolled = await api(cluster, "/user/2fa", { body: { method: "totp", code }, bearer });
  const codes = enrolled.body["backup_codes"];
  if (!Array.isArray(codes)) throw new Error(`no codes: ${enrolled.text}`);
  for (const backup of codes.slice(0, 8)) {
    const handOff = await api(cluster, "/password/login", {
      body: { email: account.email, password: account.password },
    });
    const { user_id, challenge } = handOff.body;
    const done = await api(cluster, "/2fa/verify", {
      body: { user_id, challenge, code: String(backup), backup_code: true },
    });
    expect(done.status).toBe(200);
  }
  const saying = async (words: string) =>
    (await messagesTo(cluster, account.email)).filter(({ text }) => text.includes(words)).length;
  await until("eight notices", 15, async () => (await saying("A backup code of your")) === 8);
  expect(await saying("two or fewer are left")).toBe(1);
});
