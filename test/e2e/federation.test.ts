import { randomBytes } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, messagesTo, messageTo, newPerson, registered } from "../support/accounts.ts";
import { ScriptedBrowser } from "../support/browser.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, request } from "../support/http.ts";
import { startOpenIdProvider, type TestOpenIdProvider } from "../support/openid-provider.ts";
import { freePort } from "../support/ports.ts";

let cluster: TestCluster;
let provider: TestOpenIdProvider;
const frontEnd = "https://app.example.com/base";

beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  provider = await startOpenIdProvider([
    `${url}/api/v1/oidc/acme/callback`,
    `${url}/api/v1/oidc/acme/step-up/callback`,
  ]);
  const directory = await mkdtemp(join(tmpdir(), "authkit-federation-"));
  const config = join(directory, "authkit.yaml");
  await writeFile(
    config,
    [
      "limits: { enabled: false }",
      "providers:",
      `  - { name: acme, kind: oidc, label: Acme, issuer: "${provider.issuer}", client_id: ${provider.clientId}, client_secret: ${provider.clientSecret} }`,
      '  - { name: dead, kind: oidc, issuer: "http://127.0.0.1:9", client_id: x, client_secret: y, extra_auth_params: { response_mode: form_post } }',
    ].join("\n"),
  );
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: config,
      AUTHKIT_LISTEN_ADDR: `127.0.0.1:${port}`,
      AUTHKIT_ISSUER: url,
      AUTHKIT_BASE_URL: frontEnd,
      AUTHKIT_PUBLIC_URL: url,
      AUTHKIT_TOTP_SECRET_KEY: "22".repeat(32),
    },
    url,
  });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

function person(more: Record<string, unknown> = {}) {
  const id = randomBytes(5).toString("hex");
  return {
    sub: `sub-${id}`,
    email: `f${id}@example.com`,
    email_verified: true,
    name: "Mona Lisa",
    preferred_username: `Mona.${id}`,
    ...more,
  };
}

/** Failed sign-ins of an account, oldest first: way and reason. */
async function failures(userId: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: cluster.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      "SELECT method, reason FROM profiles.session_events WHERE user_id = $1 AND event = 'session_failed' ORDER BY occurred_at",
      [userId],
    );
    return rows.map(({ method, reason }) => [method, reason]);
  } finally {
    await client.end();
  }
}

const atFrontEnd = (location: string): boolean => location.startsWith("https://app.example.com/");

/** Signs somebody in by redirects; the parameters the front end gets. */
async function signIn(query = "", browser = new ScriptedBrowser()): Promise<Record<string, string>> {
  const { location, reply } = await browser.follow(`${cluster.api}/oidc/acme/login${query}`, atFrontEnd);
  if (location === undefined) throw new Error(`stopped at ${reply.url}: ${reply.status} ${reply.text}`);
  return Object.fromEntries(new URLSearchParams(new URL(location).hash.slice(1)));
}

function claims(token: string | undefined): Record<string, unknown> {
  const parsed: unknown = JSON.parse(Buffer.from((token ?? "").split(".")[1] ?? "", "base64url").toString());
  return typeof parsed === "object" && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : {};
}

describe("login", () => {
  test("a stranger becomes an account, whoever comes again is the same one", async () => {
    const mona = person();
    provider.person(mona);
    const browser = new ScriptedBrowser();
    const result = await signIn("?return_to=/subscribe?plan=pro", browser);
    expect(Object.keys(result).sort()).toEqual([
      "access_token",
      "expires_in",
      "provider",
      "refresh_token",
      "return_to",
      "state",
    ]);
    expect(result).toMatchObject({ provider: "acme", return_to: "/subscribe?plan=pro" });
    expect(claims(result["access_token"])).toMatchObject({ provider: "acme", amr: ["oauth"] });
    // Nothing of the flow is left in the browser.
    expect([...browser.cookies(cluster.url).keys()]).toEqual([]);
    const bearer = String(result["access_token"]);
    const me = await api(cluster, "/me", { bearer });
    expect(me.body).toMatchObject({
      email: mona.email,
      email_verified: true,
      has_password: false,
      linked_providers: ["acme"],
      enabled_providers: ["acme", "dead"],
    });
    expect(me.body["username"]).toBe(mona.preferred_username.toLowerCase().replace(".", ""));
    const again = await signIn();
    expect(claims(again["access_token"])["sub"]).toBe(me.body["id"]);
    expect(again).not.toHaveProperty("return_to");
    expect((await messageTo(cluster, mona.email)).text).toContain("Welcome");
    expect(await messagesTo(cluster, mona.email)).toHaveLength(1);
  });

  test("the browser is sent off with state, nonce and PKCE, bound by cookies that scripts cannot read", async () => {
    const reply = await request(`${cluster.api}/oidc/acme/login`);
    expect(reply.status).toBe(302);
    const url = new URL(reply.headers.get("location") ?? "");
    expect(url.origin).toBe(provider.issuer);
    expect(url.searchParams.get("redirect_uri")).toBe(`${cluster.api}/oidc/acme/callback`);
    expect(url.searchParams.get("state")).toMatch(/^[\w-]{43}$/);
    expect(url.searchParams.get("nonce")).toMatch(/^[\w-]{22}$/);
    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
    expect(url.searchParams.get("scope")).toBe("openid email profile");
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect(reply.headers.get("referrer-policy")).toBe("no-referrer");
    for (const cookie of reply.headers.getSetCookie())
      expect(cookie).toMatch(
        /^authkit_oauth_state(_[0-9a-f]{8})?=[\w-]{43}; Max-Age=900; Path=\/; HttpOnly; SameSite=Lax$/,
      );
  });

  test("an address somebody has is never taken over, verified or not", async () => {
    const account = await registered(cluster);
    provider.person(person({ email: account.email.toUpperCase() }));
    expect(await signIn()).toEqual({
      error: "account_exists_link_required",
      flow: "login",
      provider: "acme",
    });
  });

  test("an unverified address is not the account's", async () => {
    const stranger = person({ email_verified: false });
    provider.person(stranger);
    const result = await signIn();
    const me = await api(cluster, "/me", { bearer: String(result["access_token"]) });
    expect(me.body).toMatchObject({ email: null, email_verified: false });
    // Its true owner can still register it.
    const owner = await api(cluster, "/register", {
      body: { identifier: stranger.email, username: newPerson().username, password: "password123" },
    });
    expect(owner.status).toBe(202);
  });

  test("an unverified address becomes the account's once it is confirmed", async () => {
    const stranger = person({ email_verified: false });
    provider.person(stranger);
    const bearer = String((await signIn())["access_token"]);
    const { code, token } = await messageTo(cluster, stranger.email);
    expect(code).toMatch(/^\d{6}$/);
    const confirmed = await api(cluster, "/email/verify/confirm", { body: { token } });
    expect(confirmed.status, confirmed.text).toBe(200);
    const me = await api(cluster, "/me", { bearer });
    expect(me.body).toMatchObject({ email: stranger.email, email_verified: true });
  });

  test("a new account is welcomed, once", async () => {
    const stranger = person();
    provider.person(stranger);
    await signIn();
    await signIn();
    expect((await messageTo(cluster, stranger.email)).text).toContain("your account is ready");
    expect(await messagesTo(cluster, stranger.email)).toHaveLength(1);
  });

  test("the address shown is the one the provider told last", async () => {
    const stranger = person();
    provider.person(stranger);
    await signIn();
    provider.person({ sub: stranger.sub });
    const browser = new ScriptedBrowser();
    const { location } = await browser.follow(`${cluster.api}/oidc/acme/login`, (to) =>
      to.includes("/callback"),
    );
    const reply = await browser.step(`${location}&format=json`);
    expect(JSON.parse(reply.text).user.email).toBe(stranger.email);
  });

  test("JSON and popup", async () => {
    const mona = person();
    provider.person(mona);
    const browser = new ScriptedBrowser();
    const { location } = await browser.follow(`${cluster.api}/oidc/acme/login`, (to) =>
      to.includes("/callback"),
    );
    const json = await browser.step(`${location}&format=json`);
    expect(json.status).toBe(200);
    expect(JSON.parse(json.text)).toMatchObject({ token_type: "Bearer", user: { email: mona.email } });
    expect(json.headers.get("cache-control")).toBe("no-store");
    const { reply } = await new ScriptedBrowser().follow(
      `${cluster.api}/oidc/acme/login?ui=popup&popup_nonce=n-1`,
    );
    expect(reply.headers.get("content-type")).toContain("text/html");
    expect(reply.headers.get("content-security-policy")).toMatch(/script-src 'nonce-/);
    expect(reply.text).toContain('"type":"AUTHKIT_OIDC_RESULT"');
    expect(reply.text).toContain('"nonce":"n-1"');
    expect(reply.text).toContain('"https://app.example.com"');
  });

  test("a person who refuses comes back with the reason, its flow used up", async () => {
    provider.person(person());
    provider.refuse(true);
    try {
      expect(await signIn("?return_to=/x")).toEqual({
        error: "access_denied",
        flow: "login",
        provider: "acme",
        return_to: "/x",
      });
    } finally {
      provider.refuse(false);
    }
  });

  test("a second factor follows, and completes the login", async () => {
    const mona = person();
    provider.person(mona);
    const first = await signIn();
    const bearer = String(first["access_token"]);
    const enrolled = await api(cluster, "/user/2fa", { body: { method: "email" }, bearer });
    expect(enrolled.body).toMatchObject({ enabled: true });
    const result = await signIn();
    expect(result).toMatchObject({ error: "2fa_required", requires_2fa: "true", method: "email" });
    expect(result).not.toHaveProperty("access_token");
    const codes = enrolled.body["backup_codes"];
    const done = await api(cluster, "/2fa/verify", {
      body: {
        user_id: result["user_id"],
        challenge: result["challenge"],
        code: Array.isArray(codes) ? codes[0] : "",
        backup_code: true,
      },
    });
    expect(claims(String(done.body["access_token"]))["amr"]).toEqual(
      expect.arrayContaining(["oauth", "otp", "mfa"]),
    );
  });

  test("a banned account is told so", async () => {
    provider.person(person());
    const userID = claims((await signIn())["access_token"])["sub"];
    await call(cluster, "BanUser", { userID, reason: null, until: null, bannedBy: "" });
    expect(await signIn()).toMatchObject({ error: "user_banned" });
    expect(await failures(String(userID))).toEqual([["oidc_login", "user_banned"]]);
  });

  test("a sign-in that comes to nothing is in the history", async () => {
    const { email } = await registered(cluster);
    const before = (await failures("")).length;
    provider.person(person({ email }));
    expect(await signIn()).toMatchObject({ error: "account_exists_link_required" });
    expect((await failures("")).slice(before)).toEqual([["oidc_login", "account_exists_link_required"]]);
  });

  test("refusals at the start", async () => {
    const start = async (path: string) => {
      const reply = await request(`${cluster.api}${path}`, { headers: { accept: "application/json" } });
      return [reply.status, reply.code];
    };
    expect(await start("/oidc/nobody/login")).toEqual([400, "unknown_provider"]);
    expect(await start("/oidc/acme/login?ui=window")).toEqual([400, "invalid_ui"]);
    expect(await start("/oidc/acme/login?link=1")).toEqual([401, "auth_required_for_link"]);
    expect(await start("/oidc/dead/login")).toEqual([400, "oidc_begin_failed"]);
    const page = await request(`${cluster.api}/oidc/acme/login?link=true&return_to=/y`);
    expect(page.headers.get("location")).toBe(
      `${frontEnd}/login/callback#error=auth_required_for_link&flow=login&provider=acme&return_to=%2Fy`,
    );
  });
});

describe("the callback", () => {
  const back = async (query: string, headers: Record<string, string> = {}) => {
    const reply = await request(`${cluster.api}/oidc/acme/callback?${query}`, {
      headers: { accept: "application/json", ...headers },
    });
    return [reply.status, reply.code];
  };

  test("without state, code or cookie", async () => {
    expect(await back("")).toEqual([400, "invalid_request"]);
    expect(await back("state=x")).toEqual([400, "invalid_request"]);
    expect(await back("state=x&code=y")).toEqual([400, "invalid_state"]);
    expect(await back("state=x&code=y", { cookie: "authkit_oauth_state=x" })).toEqual([400, "invalid_state"]);
    expect(await back("error=bad<script>")).toEqual([400, "provider_error"]);
  });

  test("CVE: a callback forced onto another browser signs nobody in, and burns nothing", async () => {
    provider.person(person());
    const attacker = new ScriptedBrowser();
    const { location } = await attacker.follow(`${cluster.api}/oidc/acme/login`, (to) =>
      to.includes("/callback"),
    );
    const victim = new ScriptedBrowser();
    const forced = await victim.step(`${location}&format=json`);
    expect(JSON.parse(forced.text).error.code).toBe("invalid_state");
    // The browser that started the flow still completes it – once.
    const own = await attacker.step(`${location}&format=json`);
    expect(own.status).toBe(200);
    const twice = await attacker.step(`${location}&format=json`, {
      headers: { cookie: `authkit_oauth_state=${new URL(String(location)).searchParams.get("state")}` },
    });
    expect(JSON.parse(twice.text).error.code).toBe("invalid_state");
  });

  test("CVE: an answer with another issuer is refused (mix-up)", async () => {
    provider.person(person());
    const browser = new ScriptedBrowser();
    const { location } = await browser.follow(`${cluster.api}/oidc/acme/login`, (to) =>
      to.includes("/callback"),
    );
    const forged = new URL(String(location));
    forged.searchParams.set("iss", "https://evil.example");
    const reply = await browser.step(`${forged.href}&format=json`);
    expect([reply.status, JSON.parse(reply.text).error.code]).toEqual([401, "oidc_exchange_failed"]);
  });

  test("50 parallel callbacks of one flow sign in once", async () => {
    provider.person(person());
    const browser = new ScriptedBrowser();
    const { location } = await browser.follow(`${cluster.api}/oidc/acme/login`, (to) =>
      to.includes("/callback"),
    );
    const state = new URL(String(location)).searchParams.get("state");
    const replies = await Promise.all(
      Array.from({ length: 50 }, () =>
        request(`${location}&format=json`, { headers: { cookie: `authkit_oauth_state=${state}` } }),
      ),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("a form answer is sent on to where the cookie comes along", async () => {
    const reply = await request(`${cluster.api}/oidc/dead/callback`, {
      body: "state=s1&code=c1&user=%7B%7D&extra=1",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect([reply.status, reply.headers.get("location")]).toEqual([
      303,
      "/api/v1/oidc/dead/callback?state=s1&code=c1",
    ]);
  });
});

describe("link, step-up, unlink", () => {
  test("a signed-in account gets a second door, and loses it again", async () => {
    const account = await registered(cluster);
    const mona = person();
    provider.person(mona);
    const browser = new ScriptedBrowser();
    const started = await browser.step(`${cluster.api}/oidc/acme/link/start`, {
      method: "POST",
      headers: { authorization: `Bearer ${account.accessToken}` },
    });
    const { auth_url: url } = JSON.parse(started.text);
    const { location } = await browser.follow(url, atFrontEnd);
    expect(location).toContain("access_token=");
    const me = await api(cluster, "/me", { bearer: account.accessToken });
    expect(me.body["linked_providers"]).toEqual(["acme"]);
    expect(claims((await signIn())["access_token"])["sub"]).toBe(me.body["id"]);

    // Somebody else cannot link the same identity.
    const other = await registered(cluster);
    const second = new ScriptedBrowser();
    const again = await second.step(`${cluster.api}/oidc/acme/link/start`, {
      method: "POST",
      headers: { authorization: `Bearer ${other.accessToken}` },
    });
    const refused = await second.follow(JSON.parse(again.text).auth_url, atFrontEnd);
    expect(refused.location).toContain("error=provider_already_linked&flow=link");

    const gone = await api(cluster, "/user/providers/acme", {
      method: "DELETE",
      bearer: account.accessToken,
    });
    expect(gone.body).toEqual({ ok: true });
    expect((await signIn())["error"]).toBeUndefined();
    // Its owner hears of both, in whatever order they are delivered.
    const told = (await messageTo(cluster, account.email, 2)) && (await messagesTo(cluster, account.email));
    const facts = told.map(({ text }) => /provider was (linked|removed)/.exec(text)?.[1]);
    expect(facts.toSorted()).toEqual(["linked", "removed"]);
  });

  test("the last way in cannot be removed", async () => {
    provider.person(person());
    const bearer = String((await signIn())["access_token"]);
    const reply = await api(cluster, "/user/providers/acme", { method: "DELETE", bearer });
    expect([reply.status, reply.code]).toEqual([400, "cannot_unlink_last_login_method"]);
  });

  test("step-up by the linked provider makes the session fresh", async () => {
    provider.person(person());
    const bearer = String((await signIn())["access_token"]);
    const browser = new ScriptedBrowser();
    const started = await browser.step(`${cluster.api}/oidc/acme/step-up/start`, {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      body: JSON.stringify({ return_to: "/settings?tab=2" }),
    });
    const { auth_url: url } = JSON.parse(started.text);
    expect(new URL(url).searchParams.get("max_age")).toBe("0");
    const { location } = await browser.follow(url, (to) => to.includes("/step-up/callback"));
    const done = await browser.step(`${location}&format=json`);
    expect(JSON.parse(done.text)).toMatchObject({
      ok: true,
      provider: "acme",
      fresh_auth: { step_up_required_for_sensitive_actions: false },
    });
    const stranger = await registered(cluster);
    const refused = await api(cluster, "/oidc/acme/step-up/start", {
      method: "POST",
      body: {},
      bearer: stranger.accessToken,
    });
    expect([refused.status, refused.code]).toEqual([400, "provider_not_linked"]);
  });

  test("another identity than the linked one proves nothing", async () => {
    provider.person(person());
    const bearer = String((await signIn())["access_token"]);
    const browser = new ScriptedBrowser();
    const started = await browser.step(`${cluster.api}/oidc/acme/step-up/start`, {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}` },
    });
    provider.person(person());
    const { location } = await browser.follow(JSON.parse(started.text).auth_url, atFrontEnd);
    expect(location).toBe("https://app.example.com/?step_up=failed");
  });

  test("starting wants a user", async () => {
    for (const path of ["/oidc/acme/link/start", "/oidc/acme/step-up/start"]) {
      const reply = await api(cluster, path, { method: "POST", body: {} });
      expect([reply.status, reply.code]).toEqual([401, "missing_token"]);
    }
  });
});

test("the capabilities name the providers", async () => {
  const reply = await api(cluster, "/auth/capabilities");
  expect(reply.body["providers"]).toEqual([
    {
      id: "acme",
      name: "Acme",
      kind: "oidc",
      supports_login: true,
      supports_registration: true,
      supports_link: true,
    },
    expect.objectContaining({ id: "dead" }),
  ]);
});
