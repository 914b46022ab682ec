import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, registered } from "../support/accounts.ts";
import { answered } from "../support/doors.ts";
import { type EveryRoute, openEveryRoute, subjectOf } from "../support/every-route.ts";
import { call, request, type TestReply } from "../support/http.ts";

let house: EveryRoute;
beforeAll(async () => {
  house = await openEveryRoute("{ enabled: false }", {
    AUTHKIT_STEP_UP_STRICT: "on",
    AUTHKIT_STEP_UP_FOR_ADMIN: "on",
    AUTHKIT_LINK_SESSION: "off",
    AUTHKIT_2FA_ENDS_SESSIONS: "true",
  });
});
afterAll(() => house.close());

type Account = Awaited<ReturnType<typeof registered>>;
const outcome = ({ status, code }: TestReply): unknown[] => [status, code];

/** An access token of the session, whose last authentication was 20 minutes ago. */
async function stale({ refreshToken }: Pick<Account, "refreshToken">, userId: string): Promise<TestReply> {
  const client = new pg.Client({ connectionString: house.cluster.databaseUrl });
  await client.connect();
  await client
    .query(
      "UPDATE profiles.refresh_sessions SET last_authenticated_at = last_authenticated_at - interval '20 minutes' WHERE user_id = $1",
      [userId],
    )
    .finally(() => client.end());
  return api(house.cluster, "/token", {
    body: { grant_type: "refresh_token", refresh_token: refreshToken },
  });
}

const login = ({ email, password }: Account) =>
  api(house.cluster, "/password/login", { body: { email, password } });

describe("second factors", () => {
  test("the first one ends the other sessions, and is the only proof that renews from then on", async () => {
    const { cluster } = house;
    const account = await registered(cluster);
    const bearer = account.accessToken;
    const other = await login(account);
    const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer });
    const secret = String(started.body["secret"]);
    const code = (offset: number) => totpCode(secret, Math.floor(Date.now() / 1000 / totpPeriod) + offset);
    const enrolled = await api(cluster, "/user/2fa", { body: { method: "totp", code: code(-1) }, bearer });
    expect(enrolled.body["enabled"]).toBe(true);
    expect(outcome(await api(cluster, "/me", { bearer: String(other.body["access_token"]) }))).toEqual([
      401,
      "token_revoked",
    ]);

    const renewed = await stale(account, subjectOf(bearer));
    const old = String(renewed.body["access_token"]);
    const me = await api(cluster, "/me", { bearer: old });
    expect(me.body["step_up_methods"]).toEqual(["2fa"]);
    const byPassword = await api(cluster, "/step-up/password", {
      body: { password: account.password },
      bearer: old,
    });
    expect(outcome(byPassword)).toEqual([403, "step_up_required"]);
    const inline = await api(cluster, "/user", {
      method: "DELETE",
      body: { password: account.password },
      bearer: old,
    });
    expect(outcome(inline)).toEqual([403, "step_up_required"]);
    const byProvider = await api(cluster, "/oidc/acme/step-up/start", { method: "POST", bearer: old });
    expect(outcome(byProvider)).toEqual([403, "step_up_required"]);
    const byFactor = await api(cluster, "/step-up/2fa", {
      body: { method: "totp", code: code(0) },
      bearer: old,
    });
    expect(byFactor.body["ok"], byFactor.text).toBe(true);
  });

  test("without one the password renews as before", async () => {
    const { cluster } = house;
    const account = await registered(cluster);
    const old = String((await stale(account, subjectOf(account.accessToken))).body["access_token"]);
    const reply = await api(cluster, "/step-up/password", {
      body: { password: account.password },
      bearer: old,
    });
    expect(reply.body["ok"], reply.text).toBe(true);
  });
});

test("credentials and other people's accounts want a fresh user", async () => {
  const { cluster } = house;
  const session = await registered(cluster);
  const { accessToken } = session;
  const id = subjectOf(accessToken);
  await api(cluster, "/org", { method: "POST", bearer: accessToken, body: { slug: "fresh" } });
  await call(cluster, "AssignRoleBySlug", { userID: id, slug: "owner" });
  const someone = subjectOf((await registered(cluster)).accessToken);
  const old = String((await stale(session, id)).body["access_token"]);
  const attempts: readonly (readonly [string, string, unknown])[] = [
    ["POST", "/org/fresh/api-keys", { name: "k", role: "viewer" }],
    [
      "POST",
      "/org/fresh/remote-applications",
      { slug: "s", issuer: "https://s.example", jwks_uri: "https://s.example/j" },
    ],
    ["POST", `/admin/users/${someone}/ban`, { reason: "x", until: "infinite" }],
    ["DELETE", `/admin/users/${someone}`, undefined],
    ["POST", `/admin/users/${someone}/sessions/revoke`, {}],
  ];
  for (const [method, path, body] of attempts)
    expect(outcome(await api(cluster, path, { method, body, bearer: old })), path).toEqual([
      403,
      "step_up_required",
    ]);
  // Reading asks for nothing of the kind.
  expect((await api(cluster, "/org/fresh/api-keys", { bearer: old })).status).toBe(200);
  const fresh = await api(cluster, "/org/fresh/api-keys", {
    body: { name: "k", role: "viewer" },
    bearer: accessToken,
  });
  expect(fresh.status, fresh.text).toBe(201);
  const document = (await request(`${cluster.url}/openapi.json`)).text;
  expect(document).toContain("step_up_required");
});

test("linking tells the front end so, and opens no session", async () => {
  const { cluster } = house;
  const account = await registered(cluster);
  const bearer = account.accessToken;
  const start = (query: string) => api(cluster, `/oidc/acme/link/start${query}`, { method: "POST", bearer });
  const finish = async ({ body }: TestReply, headers: Record<string, string> = {}) => {
    const { path, cookie } = answered(house.provider, String(body["auth_url"]), "linked-subject");
    return request(`${cluster.api}${path}`, { headers: { cookie, accept: "text/html", ...headers } });
  };
  const started = await start("?return_to=/settings");
  const redirected = new URL(String((await finish(started)).headers.get("location")));
  expect(Object.fromEntries(new URLSearchParams(redirected.hash.slice(1)))).toEqual({
    linked: "1",
    provider: "acme",
    return_to: "/settings",
    state: started.body["state"],
  });
  const asJson = await finish(await start(""), { accept: "application/json" });
  const id = subjectOf(bearer);
  expect([asJson.status, asJson.body]).toEqual([
    200,
    { linked: true, provider: "acme", user: { id, email: "" } },
  ]);
  const popup = await finish(await start("?ui=popup&popup_nonce=n1"));
  expect(popup.text).toContain('{"type":"AUTHKIT_OIDC_RESULT","linked":true,"provider":"acme","nonce":"n1"}');
  expect((await api(cluster, "/me", { bearer })).body["linked_providers"]).toEqual(["acme"]);
  expect((await api(cluster, "/user/sessions", { bearer })).body["data"]).toHaveLength(1);
});
