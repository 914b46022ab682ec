import { afterAll, beforeAll, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, behindProxy, newPerson } from "../support/accounts.ts";
import { SoftwareAuthenticator } from "../support/authenticator.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import type { TestReply } from "../support/http.ts";
import { freePort } from "../support/ports.ts";

let cluster: TestCluster;
let origin: string;
beforeAll(async () => {
  const port = await freePort();
  origin = `http://localhost:${port}`;
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_LISTEN_ADDR: `127.0.0.1:${port}`,
      AUTHKIT_ISSUER: origin,
      AUTHKIT_TOTP_SECRET_KEY: "22".repeat(32),
      AUTHKIT_2FA_MODE: "required",
      AUTHKIT_2FA_PASSKEY_COUNTS: "on",
    },
    url: `http://127.0.0.1:${port}`,
  });
});
afterAll(() => cluster?.stop());

const text = (reply: TestReply, name: string): string => String(reply.body[name]);
const options = (reply: TestReply) => JSON.parse(JSON.stringify(reply.body["publicKey"]));

test("where a second factor is required, a passkey is one, and a password still is none", async () => {
  const person = newPerson();
  const { email, username, password } = person;
  const handOff = await api(cluster, "/register", { body: { identifier: email, username, password } });
  expect(handOff.body["requires_2fa_enrollment"], handOff.text).toBe(true);
  const enrolling = text(handOff, "access_token");
  const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer: enrolling });
  const secret = text(started, "secret");
  const code = (offset: number) => totpCode(secret, Math.floor(Date.now() / 1000 / totpPeriod) + offset);
  await api(cluster, "/user/2fa", { body: { method: "totp", code: code(-1) }, bearer: enrolling });
  const login = () => api(cluster, "/password/login", { body: { email, password } });
  const first = await login();
  const second = await api(cluster, "/2fa/verify", {
    body: { user_id: first.body["user_id"], challenge: first.body["challenge"], code: code(0) },
  });
  const bearer = text(second, "access_token");

  const key = new SoftwareAuthenticator({ origin });
  const begun = await api(cluster, "/passkeys/register/begin", { method: "POST", body: {}, bearer });
  await api(cluster, "/passkeys/register/finish", { body: key.create(options(begun)), bearer });
  expect((await api(cluster, "/user/2fa", { method: "DELETE", bearer })).status).toBe(200);

  const asked = await api(cluster, "/passkeys/login/begin", { method: "POST", body: {} });
  const signedIn = await api(cluster, "/passkeys/login/finish", { body: key.get(options(asked)) });
  expect(signedIn.status, signedIn.text).toBe(200);
  expect(signedIn.body["refresh_token"]).toHaveLength(43);
  expect((await api(cluster, "/me", { bearer: text(signedIn, "access_token") })).status).toBe(200);
  const refreshed = await api(cluster, "/token", {
    body: { grant_type: "refresh_token", refresh_token: text(signedIn, "refresh_token") },
  });
  expect(refreshed.body["refresh_token"], refreshed.text).toHaveLength(43);
  expect((await login()).body["requires_2fa_enrollment"]).toBe(true);
});
