import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api } from "../support/accounts.ts";
import { type Dweller, settle } from "../support/doors.ts";
import { must, outcome } from "../support/expectation.ts";
import { type OpenHouse, openHouse } from "../support/house.ts";
import { request, type TestReply } from "../support/http.ts";

/** What is kept for minutes only lies in the database here, in a table that then is not there. */
let house: OpenHouse;
let sql: pg.Client;
let who: Dweller;

beforeAll(async () => {
  house = await openHouse((acme) => `limits: { enabled: false }\nproviders:\n  - ${acme}\n`, {
    AUTHKIT_REDIS_URL: "",
  });
  sql = new pg.Client({ connectionString: house.cluster.databaseUrl });
  await sql.connect();
  who = await settle(house);
  const bearer = who.accessToken;
  const enrol = async (code?: string): Promise<TestReply> =>
    must(await api(house.cluster, "/user/2fa", { bearer, body: { method: "totp", code } }));
  const secret = String((await enrol()).body["secret"]);
  await enrol(totpCode(secret, Math.floor(Date.now() / 1000 / totpPeriod)));
  await sql.query("ALTER TABLE profiles.ephemeral RENAME TO ephemeral_gone");
});
afterAll(async () => {
  await sql?.end();
  await house?.close();
});

type Attempt = (cluster: OpenHouse["cluster"], who: Dweller) => Promise<TestReply>;
const challenge = { challenge: "x".repeat(43), code: "123456", factor_id: randomUUID() };

const attempts: Readonly<Record<string, readonly [string, Attempt]>> = {
  "GET /oidc/{provider}/login": [
    "state_store_failed",
    (cluster) => request(`${cluster.api}/oidc/acme/login?format=json`),
  ],
  "POST /oidc/{provider}/link/start": [
    "state_store_failed",
    (cluster, { accessToken: bearer }) => api(cluster, "/oidc/acme/link/start", { method: "POST", bearer }),
  ],
  "POST /oidc/{provider}/step-up/start": [
    "state_store_failed",
    (cluster, { accessToken: bearer }) => api(cluster, "/oidc/acme/step-up/start", { body: {}, bearer }),
  ],
  "POST /2fa/challenge": [
    "challenge_verify_failed",
    (cluster, { id }) =>
      api(cluster, "/2fa/challenge", { body: { user_id: id, ...challenge, code: undefined } }),
  ],
  "POST /2fa/verify": [
    "challenge_verify_failed",
    (cluster, { id }) => api(cluster, "/2fa/verify", { body: { user_id: id, ...challenge } }),
  ],
  "POST /user/2fa": [
    "send_code_failed",
    (cluster, { accessToken: bearer, phone }) =>
      api(cluster, "/user/2fa", { bearer, body: { method: "sms", phone } }),
  ],
  "POST /password/login": [
    "2fa_challenge_failed",
    (cluster, { email, password }) => api(cluster, "/password/login", { body: { email, password } }),
  ],
  "POST /solana/challenge": [
    "challenge_failed",
    (cluster, { wallet: { address } }) => api(cluster, "/solana/challenge", { body: { address } }),
  ],
  "POST /passkeys/login/begin": [
    "passkey_failed",
    (cluster) => api(cluster, "/passkeys/login/begin", { body: {} }),
  ],
};

describe("when what is kept for minutes cannot be kept", () => {
  test.each(Object.entries(attempts))("%s", async (_name, [code, attempt]) => {
    expect(outcome(await attempt(house.cluster, who))).toEqual([500, code]);
  });
});
