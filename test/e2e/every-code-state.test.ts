import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api } from "../support/accounts.ts";
import { type Dweller, settle } from "../support/doors.ts";
import { outcome } from "../support/expectation.ts";
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
  await sql.query("ALTER TABLE profiles.ephemeral RENAME TO ephemeral_gone");
});
afterAll(async () => {
  await sql?.end();
  await house?.close();
});

type Attempt = (cluster: OpenHouse["cluster"], who: Dweller) => Promise<TestReply>;

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
  "POST /user/2fa": [
    "send_code_failed",
    (cluster, { accessToken: bearer, phone }) =>
      api(cluster, "/user/2fa", { bearer, body: { method: "sms", phone } }),
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
