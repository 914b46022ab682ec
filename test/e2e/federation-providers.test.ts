import { createPublicKey, generateKeyPairSync, randomBytes, verify } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, messageTo, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { forge, type HostileProvider, startHostileProvider } from "../support/hostile-provider.ts";
import { call, request } from "../support/http.ts";

let cluster: TestCluster;
let provider: HostileProvider;
const apple = generateKeyPairSync("ec", { namedCurve: "P-256" });

beforeAll(async () => {
  provider = await startHostileProvider();
  const directory = await mkdtemp(join(tmpdir(), "authkit-providers-"));
  const keyFile = join(directory, "apple.p8");
  await writeFile(keyFile, String(apple.privateKey.export({ format: "pem", type: "pkcs8" })), {
    mode: 0o600,
  });
  const at = (name: string): string => provider.at(name, {});
  const endpoints = (name: string): string =>
    `authorize_url: "${at(name)}/authorize?tenant=7", token_url: "${at(name)}/token", user_info_url: "${at(name)}/userinfo"`;
  const config = join(directory, "authkit.yaml");
  await writeFile(
    config,
    `limits: { enabled: false }
providers:
  - { name: apple, built_in: apple, issuer: "${at("apple")}", client_id: com.example.app, apple_jwt: { team_id: TEAM123456, key_id: KEY1234567, private_key_pem_file: "${keyFile}" } }
  - { name: google, built_in: google, client_id: google-client, client_secret: s }
  - { name: discord, built_in: discord, client_id: discord-client, client_secret: s }
  - { name: github, built_in: github, client_id: github-client, client_secret: s }
  - name: forge
    kind: oauth2
    issuer: "${at("forge")}"
    client_id: forge-client
    client_secret: forge-secret
    ${endpoints("forge").split(", ").join("\n    ")}
    user_mapping: { subject: { path: account.id }, display_name: { path: account.name }, preferred_username: { path: login } }
    email_fallback:
      url: "${provider.issuer}/forge/emails/userinfo"
      array: true
      select: { primary: "true", verified: "true" }
      email: { path: email }
      email_verified: { path: verified }
  - { name: prompting, kind: oauth2, issuer: "${at("prompting")}", client_id: p, client_secret: s, ${endpoints("prompting")}, user_mapping: { subject: { path: id } }, extra_auth_params: { prompt: login } }
`,
  );
  cluster = await startCluster({ env: { ...behindProxy, AUTHKIT_CONFIG: config } });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

async function start(name: string): Promise<{ url: URL; state: string; cookies: string[] }> {
  const reply = await request(`${cluster.api}/oidc/${name}/login`, {
    headers: { accept: "application/json" },
  });
  if (reply.status !== 302) throw new Error(`${reply.status} ${reply.text}`);
  const url = new URL(reply.headers.get("location") ?? "");
  return { url, state: url.searchParams.get("state") ?? "", cookies: reply.headers.getSetCookie() };
}

const now = (): number => Math.floor(Date.now() / 1000);

describe("Sign in with Apple", () => {
  test("answers by a form, and gets a client secret made for each use", async () => {
    const { url, state, cookies } = await start("apple");
    expect(url.searchParams.get("response_mode")).toBe("form_post");
    expect(url.searchParams.get("scope")).toBe("openid email name");
    expect(url.searchParams.has("code_challenge")).toBe(false);
    const claims = {
      iss: `${provider.issuer}/apple`,
      aud: "com.example.app",
      nonce: url.searchParams.get("nonce"),
    };
    const email = `${randomBytes(4).toString("hex")}@privaterelay.example`;
    const idToken = forge(
      { alg: "ES256", kid: "k1" },
      { ...claims, sub: "001.apple", email, email_verified: "true", iat: now(), exp: now() + 300 },
      provider.keys.privateKey,
    );
    provider.token = { body: { access_token: "at", token_type: "Bearer", id_token: idToken } };
    // The form comes from another site, so no cookie comes along; the GET it is turned into has it.
    const form = await request(`${cluster.api}/oidc/apple/callback`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: "https://appleid.apple.com" },
      body: new URLSearchParams({
        state,
        code: "c1",
        iss: `${provider.issuer}/apple`,
        user: '{"name":{}}',
      }).toString(),
    });
    expect(form.status).toBe(303);
    const next = new URL(form.headers.get("location") ?? "", cluster.url);
    expect(next.searchParams.has("user")).toBe(false);
    const cookie = cookies.map((text) => text.split(";")[0]).join("; ");
    const done = await request(`${next.href}&format=json`, {
      headers: { cookie, accept: "application/json" },
    });
    expect(done.status, done.text).toBe(200);
    expect(done.body).toMatchObject({ user: { email } });

    const grant = provider.grants.at(-1);
    expect(grant?.get("client_id")).toBe("com.example.app");
    const [head = "", payload = "", signature = ""] = (grant?.get("client_secret") ?? "").split(".");
    const read = (text: string): unknown => JSON.parse(Buffer.from(text, "base64url").toString());
    expect(read(head)).toEqual({ alg: "ES256", kid: "KEY1234567", typ: "JWT" });
    expect(read(payload)).toMatchObject({
      iss: "TEAM123456",
      aud: "https://appleid.apple.com",
      sub: "com.example.app",
    });
    const key = createPublicKey(apple.publicKey.export({ format: "pem", type: "spki" }));
    const signed = Buffer.from(`${head}.${payload}`);
    expect(
      verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url")),
    ).toBe(true);
  });
});

describe("answers posted as forms", () => {
  const form = "application/x-www-form-urlencoded";
  function post(name: string, body: Record<string, string>, contentType = form, path = "callback") {
    return request(`${cluster.api}/oidc/${name}/${path}`, {
      method: "POST",
      headers: { "content-type": contentType },
      body: new URLSearchParams(body).toString(),
    });
  }

  test("the name Apple tells once becomes the account's, and nothing else of what nobody has signed", async () => {
    const { url, state, cookies } = await start("apple");
    const id = randomBytes(4).toString("hex");
    const idToken = forge(
      { alg: "ES256", kid: "k1" },
      {
        ...{ iss: `${provider.issuer}/apple`, aud: "com.example.app", sub: `002.${id}` },
        ...{ nonce: url.searchParams.get("nonce"), iat: now(), exp: now() + 300 },
      },
      provider.keys.privateKey,
    );
    provider.token = { body: { access_token: "at", token_type: "Bearer", id_token: idToken } };
    const user = JSON.stringify({
      name: { firstName: "Mona", lastName: `Lisa ${id}` },
      email: `forged-${id}@example.com`,
    });
    // Whoever does not know the state changes nothing.
    await post("apple", { state: `x${state.slice(1)}`, code: "c", user: '{"name":{"firstName":"Eve"}}' });
    const iss = `${provider.issuer}/apple`;
    const posted = await post("apple", { state, code: "c1", iss, user });
    expect(posted.status).toBe(303);
    const location = posted.headers.get("location") ?? "";
    expect(location).not.toContain("Mona");
    const cookie = cookies.map((text) => text.split(";")[0]).join("; ");
    const done = await request(`${new URL(location, cluster.url).href}&format=json`, {
      headers: { cookie, accept: "application/json" },
    });
    expect(done.status, done.text).toBe(200);
    const me = await request(`${cluster.api}/me`, {
      headers: { authorization: `Bearer ${String(done.body["access_token"])}` },
    });
    expect(me.body).toMatchObject({ username: `monalisa${id}`, email: null });
  });

  test("only of providers that answer that way, and only as forms", async () => {
    for (const path of ["callback", "step-up/callback"]) {
      const other = await post("github", { state: "s", code: "c" }, form, path);
      expect([other.status, other.code, other.headers.get("allow")]).toEqual([
        405,
        "method_not_allowed",
        "GET",
      ]);
      const nobody = await post("nobody", { state: "s", code: "c" }, form, path);
      expect([nobody.status, nobody.code]).toEqual([400, "unknown_provider"]);
      for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x", ""]) {
        const refused = await post("apple", { state: "s", code: "c" }, type, path);
        expect([refused.status, refused.code], type).toEqual([400, "invalid_request"]);
      }
      const accepted = await post("Apple", { state: "s", code: "c" }, `${form}; charset=UTF-8`, path);
      expect(accepted.status).toBe(303);
      expect(accepted.headers.get("location")).toBe(`/api/v1/oidc/apple/${path}?state=s&code=c`);
    }
  });
});

describe("a step-up", () => {
  test("is not begun where a sign-in proves nothing fresh", async () => {
    const { accessToken } = await registered(cluster);
    const begin = async (name: string) => {
      const reply = await api(cluster, `/oidc/${name}/step-up/start`, { body: {}, bearer: accessToken });
      return [reply.status, reply.code];
    };
    expect(await begin("forge")).toEqual([400, "unknown_provider"]);
    expect(await begin("github")).toEqual([400, "unknown_provider"]);
    expect(await begin("prompting")).toEqual([400, "provider_not_linked"]);
    expect(await begin("apple")).toEqual([400, "provider_not_linked"]);
  });
});

describe("a plain OAuth 2.0 provider", () => {
  test("maps its answer, asks a second time for the address, keeps the query of its address", async () => {
    const { url, state } = await start("forge");
    expect(url.searchParams.get("tenant")).toBe("7");
    expect(url.searchParams.get("response_type")).toBe("code");
    expect(url.searchParams.has("nonce")).toBe(false);
    provider.token = { body: { access_token: "at", token_type: "bearer" } };
    const id = randomBytes(4).toString("hex");
    provider.userInfo = { body: { account: { id: 4711, name: "Mona" }, login: `mona-${id}` } };
    provider.second = {
      body: [
        { email: `old-${id}@example.com`, primary: false, verified: true },
        { email: `mona-${id}@example.com`, primary: true, verified: true },
      ],
    };
    const done = await request(`${cluster.api}/oidc/forge/callback?state=${state}&code=c&format=json`, {
      headers: { cookie: `authkit_oauth_state=${state}`, accept: "application/json" },
    });
    expect(done.status, done.text).toBe(200);
    expect(done.body).toMatchObject({ user: { email: `mona-${id}@example.com` } });
    const grant = provider.grants.at(-1);
    expect(grant?.get("client_secret")).toBe("forge-secret");
    expect(grant?.get("code_verifier")).toMatch(/^[\w-]{43}$/);
  });
});

describe("what is built in", () => {
  test.each([
    ["google", "https://accounts.google.com/o/oauth2/v2/auth", "openid email profile", "google-client"],
    ["discord", "https://discord.com/api/oauth2/authorize", "identify email", "discord-client"],
    ["github", "https://github.com/login/oauth/authorize", "read:user user:email", "github-client"],
  ])("%s", async (name, address, scope, clientId) => {
    // Google's addresses come from its discovery document, which nobody asks for here.
    if (name === "google") {
      const reply = await request(`${cluster.api}/oidc/google/login`, {
        headers: { accept: "application/json" },
      });
      expect([302, 400]).toContain(reply.status);
      return;
    }
    const { url } = await start(name);
    expect(`${url.origin}${url.pathname}`).toBe(address);
    expect(url.searchParams.get("scope")).toBe(scope);
    expect(url.searchParams.get("client_id")).toBe(clientId);
    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
  });

  test("is shown with its name", async () => {
    const reply = await request(`${cluster.api}/auth/capabilities`);
    const listed = reply.body["providers"];
    const names = Array.isArray(listed) ? listed.map((one: unknown) => Object(one).name) : [];
    expect(names).toEqual(["Apple", "Discord", "forge", "GitHub", "Google", "prompting"]);
  });
});

describe("where strangers cannot register", () => {
  let closed: TestCluster;
  afterAll(() => closed?.stop());

  /** Where tokens stay out of the address bar: the fragment has a code, which is good once. */
  async function fetchesItsTokens(sub: string): Promise<void> {
    const started = await request(`${closed.api}/oidc/acme/login`, {});
    const url = new URL(started.headers.get("location") ?? "");
    const state = url.searchParams.get("state") ?? "";
    const iss = `${provider.issuer}/acme`;
    const claims = { iss, aud: "authkit", nonce: url.searchParams.get("nonce"), sub };
    const idToken = forge(
      { alg: "ES256", kid: "k1" },
      { ...claims, iat: now(), exp: now() + 300 },
      provider.keys.privateKey,
    );
    provider.token = { body: { access_token: "at", token_type: "Bearer", id_token: idToken } };
    const back = await request(
      `${closed.api}/oidc/acme/callback?state=${state}&code=c&iss=${encodeURIComponent(iss)}`,
      { headers: { cookie: `authkit_oauth_state=${state}` } },
    );
    const fragment = new URLSearchParams(new URL(back.headers.get("location") ?? "").hash.slice(1));
    expect([...fragment.keys()]).toEqual(["code", "provider", "state"]);
    const redeem = () => request(`${closed.api}/oidc/result`, { body: { code: fragment.get("code") ?? "" } });
    const replies = await Promise.all(Array.from({ length: 10 }, redeem));
    const [won, ...more] = replies.filter(({ status }) => status === 200);
    expect(more).toEqual([]);
    expect(Object.keys(won?.body ?? {}).sort()).toEqual([
      "access_token",
      "expires_in",
      "refresh_token",
      "token_type",
      "user",
    ]);
    expect(won?.headers.get("cache-control")).toBe("no-store");
    const again = await redeem();
    expect([again.status, again.code]).toEqual([400, "invalid_or_expired_code"]);
  }

  /** Signs somebody in at a cluster whose registration is not open. */
  async function signIn(sub: string, email: string, query = ""): Promise<[number, string | undefined]> {
    const started = await request(`${closed.api}/oidc/acme/login${query}`, {
      headers: { accept: "application/json" },
    });
    const url = new URL(started.headers.get("location") ?? "");
    const state = url.searchParams.get("state") ?? "";
    const iss = `${provider.issuer}/acme`;
    const claims = {
      iss,
      aud: "authkit",
      nonce: url.searchParams.get("nonce"),
      sub,
      email,
      email_verified: true,
    };
    const token = forge(
      { alg: "ES256", kid: "k1" },
      { ...claims, iat: now(), exp: now() + 300 },
      provider.keys.privateKey,
    );
    provider.token = { body: { access_token: "at", token_type: "Bearer", id_token: token } };
    const reply = await request(
      `${closed.api}/oidc/acme/callback?state=${state}&code=c&format=json&iss=${encodeURIComponent(iss)}`,
      { headers: { cookie: `authkit_oauth_state=${state}`, accept: "application/json" } },
    );
    return [reply.status, reply.code];
  }

  test("a provider opens the door to the invited only, and to whoever is linked", async () => {
    const config = join(await mkdtemp(join(tmpdir(), "authkit-closed-")), "authkit.yaml");
    await writeFile(
      config,
      `limits: { enabled: false }\nproviders:\n  - { name: acme, kind: oidc, issuer: "${provider.at("acme", {})}", client_id: authkit, client_secret: s }\n`,
    );
    closed = await startCluster({
      env: {
        ...behindProxy,
        AUTHKIT_CONFIG: config,
        AUTHKIT_REGISTRATION_MODE: "invite_only",
        AUTHKIT_OIDC_RESULT_MODE: "code",
      },
    });
    const email = `${randomBytes(4).toString("hex")}@example.com`;
    expect(await signIn("stranger", email)).toEqual([403, "registration_disabled"]);
    const host = await call(closed, "CreateUser", { email: `host-${email}`, username: "the-host" });
    const InvitedBy = String(Object(host.body["result"]).ID);
    await call(closed, "AssignRoleBySlug", { userID: InvitedBy, slug: "owner" });
    const invite = await call(closed, "CreateAccountRegistrationInvite", {
      req: { Email: email, InvitedBy, ExpiresIn: 0 },
    });
    expect(invite.status, invite.text).toBe(200);
    const { token } = await messageTo(closed, email);
    const code =
      token || (new URL((await messageTo(closed, email)).url).searchParams.get("account_invite_token") ?? "");
    expect(await signIn("stranger", email, "?account_invite_token=wrong")).toEqual([
      403,
      "registration_disabled",
    ]);
    expect(await signIn("stranger", email, `?account_invite_token=${code}`)).toEqual([200, undefined]);
    expect(await signIn("stranger", email)).toEqual([200, undefined]);
    await fetchesItsTokens("stranger");
    expect(await signIn("another", `x${email}`, `?account_invite_token=${code}`)).toEqual([
      403,
      "registration_disabled",
    ]);
  });
});
