import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, newPerson } from "../support/accounts.ts";
import { must, outcome } from "../support/expectation.ts";
import { forge } from "../support/hostile-provider.ts";
import { type OpenHouse, openHouse } from "../support/house.ts";
import { request, type TestReply } from "../support/http.ts";
import { operatorMade, signedIn } from "../support/operator-made.ts";
import { testWallet } from "../unit/solana/wallet.ts";

/** Accounts are by invitation here. `plain` speaks OAuth 2.0, `dark` cannot be discovered. */
let house: OpenHouse;
let sql: pg.Client;

beforeAll(async () => {
  house = await openHouse(
    (acme, provider) => {
      const plain = provider.at("plain", {});
      const endpoints = ["authorize", "token", "userinfo"].map((name) => `${plain}/${name}`);
      return `
limits: { enabled: false }
providers:
  - ${acme}
  - { name: dark, kind: oidc, issuer: "${provider.at("dark", { discovery: { status: 500 } })}", client_id: a, client_secret: s }
  - name: plain
    kind: oauth2
    issuer: "${plain}"
    client_id: a
    client_secret: s
    authorize_url: "${endpoints[0]}"
    token_url: "${endpoints[1]}"
    user_info_url: "${endpoints[2]}"
    user_mapping: { subject: { path: id } }
`;
    },
    { AUTHKIT_REGISTRATION_MODE: "invite_only", AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true" },
  );
  sql = new pg.Client({ connectionString: house.cluster.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql?.end();
  await house?.close();
});

interface Account {
  readonly id: string;
  readonly email: string;
  readonly bearer: string;
}

async function account(): Promise<Account> {
  const { id, email, ...person } = await operatorMade(house.cluster);
  return { id, email, bearer: await signedIn(house.cluster, { email, ...person }) };
}

/** Leaves for a provider, to sign in or to link. */
async function leave(provider: string, bearer?: string): Promise<URL> {
  const from = `/oidc/${provider}`;
  if (bearer !== undefined) {
    const started = await api(house.cluster, `${from}/link/start`, { method: "POST", bearer });
    return new URL(String(must(started).body["auth_url"]));
  }
  const reply = await request(`${house.cluster.api}${from}/login`, {
    headers: { accept: "application/json" },
  });
  return new URL(reply.headers.get("location") ?? "");
}

/** Comes back, as the browser that left. */
function comeBack(
  path: string,
  provider: string,
  query: Record<string, string>,
  cookie = query["state"] ?? "",
): Promise<TestReply> {
  const answer = new URLSearchParams({ ...query, format: "json" });
  return request(`${house.cluster.api}/oidc/${provider}/${path}?${answer}`, {
    headers: { cookie: `authkit_oauth_state=${cookie}` },
  });
}

/** What the provider says of whoever comes back. */
interface Told {
  readonly subject?: string;
  readonly email?: string;
}

/** Signs in or links at `acme`. */
async function through(path: string, { subject, email }: Told, bearer?: string): Promise<TestReply> {
  const { provider } = house;
  const { searchParams } = await leave("acme", bearer);
  const [iss, at] = [`${provider.issuer}/acme`, Math.floor(Date.now() / 1000)];
  const claims = { iss, aud: "authkit", nonce: searchParams.get("nonce"), iat: at, exp: at + 300 };
  const told = { sub: subject ?? newPerson().username, email, email_verified: email !== undefined };
  const token = forge({ alg: "ES256", kid: "k1" }, { ...claims, ...told }, provider.keys.privateKey);
  provider.token = { body: { access_token: "at", token_type: "Bearer", id_token: token } };
  return comeBack(path, "acme", { state: searchParams.get("state") ?? "", code: "c", iss });
}

const ends: Readonly<Record<string, readonly [number, (path: string) => Promise<TestReply>]>> = {
  unknown_provider: [400, (path) => comeBack(path, "nobody", { state: "s", code: "c" })],
  invalid_request: [400, (path) => comeBack(path, "acme", { code: "c" })],
  invalid_state: [400, (path) => comeBack(path, "acme", { state: "s", code: "c" }, "another")],
  provider_error: [400, (path) => comeBack(path, "acme", { state: "s", error: "<script>" })],
  oidc_exchange_failed: [
    401,
    async (path) => {
      const state = (await leave("acme")).searchParams.get("state") ?? "";
      house.provider.token = { status: 400, body: { error: "invalid_grant" } };
      return comeBack(path, "acme", { state, code: "c", iss: `${house.provider.issuer}/acme` });
    },
  ],
  exchange_failed: [
    401,
    async (path) => {
      const state = (await leave("plain")).searchParams.get("state") ?? "";
      house.provider.token = { status: 400, body: { error: "invalid_grant" } };
      return comeBack(path, "plain", { state, code: "c" });
    },
  ],
  userinfo_failed: [
    401,
    async (path) => {
      const state = (await leave("plain")).searchParams.get("state") ?? "";
      house.provider.token = { body: { access_token: "at", token_type: "Bearer" } };
      house.provider.userInfo = { status: 500 };
      return comeBack(path, "plain", { state, code: "c" });
    },
  ],
  registration_disabled: [403, (path) => through(path, {})],
  account_exists_link_required: [409, async (path) => through(path, { email: (await account()).email })],
  provider_already_linked: [
    409,
    async (path) => {
      const subject = newPerson().username;
      must(await through(path, { subject }, (await account()).bearer));
      return through(path, { subject }, (await account()).bearer);
    },
  ],
  // No text column holds a subject like this.
  provider_link_failed: [
    500,
    async (path) => through(path, { subject: "a\u0000b" }, (await account()).bearer),
  ],
  user_banned: [
    401,
    async (path) => {
      const [subject, { id, bearer }] = [newPerson().username, await account()];
      must(await through(path, { subject }, bearer));
      await sql.query("UPDATE profiles.users SET banned_at = now() WHERE id = $1", [id]);
      return through(path, { subject });
    },
  ],
};

// What a flow is for stands in its record, not in the address (spec 22 §3).
describe.each(["callback", "step-up/callback"])("GET /oidc/{provider}/%s", (path) => {
  test.each(Object.entries(ends))("%s", async (code, [status, end]) => {
    expect(outcome(await end(path))).toEqual([status, code]);
  });
});

describe("leaving for a provider", () => {
  const attempts: Readonly<Record<string, (path: string, bearer: string) => Promise<TestReply>>> = {
    unknown_provider: (path, bearer) => api(house.cluster, `/oidc/nobody${path}`, { body: {}, bearer }),
    invalid_ui: (path, bearer) => api(house.cluster, `/oidc/acme${path}?ui=frame`, { body: {}, bearer }),
    oidc_begin_failed: (path, bearer) => api(house.cluster, `/oidc/dark${path}`, { body: {}, bearer }),
  };

  describe.each(["/link/start", "/step-up/start"])("POST /oidc/{provider}%s", (path) => {
    test.each(Object.entries(attempts))("%s", async (code, attempt) => {
      const { id, bearer } = await account();
      await sql.query(
        `INSERT INTO profiles.user_providers (id, user_id, issuer, provider_slug, subject)
         VALUES (gen_random_uuid(), $1, $2, 'dark', $3)`,
        [id, `${house.provider.issuer}/dark`, newPerson().username],
      );
      expect(outcome(await attempt(path, bearer))).toEqual([400, code]);
    });
  });
});

describe("strangers without an invitation", () => {
  test("get no code to sign in with", async () => {
    const body = { identifier: newPerson().email };
    expect(outcome(await api(house.cluster, "/passwordless/start", { body }))).toEqual([
      403,
      "registration_disabled",
    ]);
  });

  test("get no account for their wallet", async () => {
    const wallet = testWallet();
    const { address } = wallet;
    const challenge = must(await api(house.cluster, "/solana/challenge", { body: { address } }));
    const body = wallet.body(String(challenge.body["message"]));
    expect(outcome(await api(house.cluster, "/solana/login", { body }))).toEqual([
      403,
      "registration_disabled",
    ]);
  });
});
