import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { behindProxy } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import {
  type Answer,
  forge,
  type HostileProvider,
  startHostileProvider,
} from "../support/hostile-provider.ts";
import { call, request, type TestReply } from "../support/http.ts";
import { workersOf } from "../support/processes.ts";

let cluster: TestCluster;
let provider: HostileProvider;
let pids: number[];

/** Discovery documents that must not be believed, or cannot be had. */
const discoveries: Readonly<Record<string, Answer>> = {
  issuer: { body: { issuer: "https://accounts.example.com" } },
  missing: { status: 404 },
  broken: { status: 500 },
  text: { body: "<html></html>", headers: { "content-type": "text/html" } },
  malformed: { body: '{"issuer":' },
  redirect: { status: 302, headers: { location: "http://169.254.169.254/latest/meta-data/" } },
  silence: { trick: "silence" },
  drip: { trick: "drip" },
  flood: { trick: "flood" },
  reset: { trick: "reset" },
};

/** Key sets with which nothing verifies. */
const keySets: Readonly<Record<string, Answer>> = {
  nokeys: { body: { keys: [] } },
  keyobject: { body: { keys: { kid: "k1" } } },
  symmetric: { body: { keys: [{ kty: "oct", kid: "k1", k: "c2VjcmV0" }] } },
  keysdown: { status: 503 },
  keystext: { body: "keys", headers: { "content-type": "text/plain" } },
  keysredirect: { status: 302, headers: { location: "http://127.0.0.1:9/keys" } },
  keyssilence: { trick: "silence" },
};

beforeAll(async () => {
  provider = await startHostileProvider();
  const declared = [
    `  - { name: evil, kind: oidc, issuer: "${provider.at("evil", {})}", client_id: authkit, client_secret: client-secret-of-the-test-0123456789 }`,
    ...Object.entries(discoveries).map(
      ([name, discovery]) =>
        `  - { name: d-${name}, kind: oidc, issuer: "${provider.at(`d-${name}`, { discovery })}", client_id: authkit, client_secret: x }`,
    ),
    ...Object.entries(keySets).map(
      ([name, keys]) =>
        `  - { name: k-${name}, kind: oidc, issuer: "${provider.at(`k-${name}`, { keys })}", client_id: authkit, client_secret: x }`,
    ),
    `  - { name: plain, kind: oauth2, issuer: "${provider.issuer}/plain", client_id: authkit, client_secret: x, authorize_url: "${provider.issuer}/plain/authorize", token_url: "${provider.issuer}/plain/token", user_info_url: "${provider.issuer}/plain/userinfo", user_mapping: { subject: { path: sub }, email: { path: email }, email_verified: { path: email_verified } } }`,
  ];
  const config = join(await mkdtemp(join(tmpdir(), "authkit-hostile-")), "authkit.yaml");
  await writeFile(config, ["limits: { enabled: false }", "providers:", ...declared].join("\n"));
  cluster = await startCluster({ env: { ...behindProxy, AUTHKIT_CONFIG: config } });
  pids = workersOf(cluster.pid, "http").sort();
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];

interface Started {
  readonly state: string;
  readonly nonce: string;
}

async function start(name: string): Promise<Started> {
  const reply = await request(`${cluster.api}/oidc/${name}/login`, {
    headers: { accept: "application/json" },
  });
  const url = new URL(reply.headers.get("location") ?? "http://nowhere");
  if (reply.status !== 302) throw new Error(`${reply.status} ${reply.text}`);
  return { state: url.searchParams.get("state") ?? "", nonce: url.searchParams.get("nonce") ?? "" };
}

/** The browser's way back with a code. */
function back(name: string, { state }: Started, more: Record<string, string> = {}): Promise<TestReply> {
  const iss = name === "plain" ? {} : { iss: `${provider.issuer}/${name}` };
  const query = new URLSearchParams({ state, code: "code-1", format: "json", ...iss, ...more });
  return request(`${cluster.api}/oidc/${name}/callback?${query}`, {
    headers: { cookie: `authkit_oauth_state=${state}`, accept: "application/json" },
  });
}

async function people(): Promise<unknown> {
  return (await call(cluster, "AdminCountUsers", { opts: {} })).body["result"];
}

const now = (): number => Math.floor(Date.now() / 1000);
let subjects = 0;
const claimsFor = (name: string, nonce: string, more: object = {}): object => ({
  ...{ iss: `${provider.issuer}/${name}`, aud: "authkit", sub: `sub-${++subjects}`, nonce },
  ...{ iat: now(), exp: now() + 300, ...more },
});
const header = { alg: "ES256", kid: "k1", typ: "JWT" };
const tokens = (idToken: unknown): Answer => ({
  body: { access_token: "at", token_type: "Bearer", expires_in: 300, id_token: idToken },
});

/** Makes the answer of the token endpoint; everything but one thing is right. */
type Making = (nonce: string, keys: HostileProvider["keys"]) => Answer;
const idToken =
  (claims: object, head: object = header): Making =>
  (nonce, { privateKey }) =>
    tokens(forge(head, claimsFor("evil", nonce, claims), privateKey));

const answers: Readonly<Record<string, Making>> = {
  "another issuer": idToken({ iss: "https://accounts.example.com" }),
  "no issuer": idToken({ iss: undefined }),
  "the issuer with a slash": (nonce, { privateKey }) =>
    tokens(forge(header, claimsFor("evil", nonce, { iss: `${provider.issuer}/evil/` }), privateKey)),
  "another nonce": idToken({ nonce: "other" }),
  "no nonce": idToken({ nonce: undefined }),
  "another audience": idToken({ aud: "somebody-else" }),
  "no audience": idToken({ aud: undefined }),
  "two audiences and no authorised party": idToken({ aud: ["authkit", "other"] }),
  "another authorised party": idToken({ aud: ["authkit", "other"], azp: "other" }),
  "another authorised party for the right audience": idToken({ azp: "other" }),
  "a token made in the future": idToken({ iat: now() + 3600, exp: now() + 7200 }),
  "a token of another access token": idToken({ at_hash: "77QmUPtjPfzWtF2AnpK9RQ" }),
  "a token that has expired": idToken({ exp: now() - 3600 }),
  "a token without an end": idToken({ exp: undefined }),
  "a token not valid yet": idToken({ nbf: now() + 3600 }),
  "no subject": idToken({ sub: undefined }),
  "an empty subject": idToken({ sub: "" }),
  "a subject that is no text": idToken({ sub: { $ne: "" } }),
  "no signature": (nonce) => tokens(forge({ alg: "none" }, claimsFor("evil", nonce), undefined)),
  "no signature, in capitals": (nonce) => tokens(forge({ alg: "NONE" }, claimsFor("evil", nonce), undefined)),
  "an HMAC by the client's secret": (nonce) =>
    tokens(
      forge({ alg: "HS256", kid: "k1" }, claimsFor("evil", nonce), "client-secret-of-the-test-0123456789"),
    ),
  "an HMAC by the public key": (nonce, { publicKey }) =>
    tokens(
      forge(
        { alg: "HS256", kid: "k1" },
        claimsFor("evil", nonce),
        String(publicKey.export({ format: "pem", type: "spki" })),
      ),
    ),
  "an unknown key": idToken({}, { ...header, kid: "k2" }),
  "a key it brings along": (nonce) => {
    const { privateKey, publicKey } = freshKeys();
    return tokens(
      forge({ ...header, jwk: publicKey.export({ format: "jwk" }) }, claimsFor("evil", nonce), privateKey),
    );
  },
  "a key it tells where to get": (nonce) =>
    tokens(
      forge(
        { ...header, kid: "x", jku: `${provider.issuer}/other/jwks` },
        claimsFor("evil", nonce),
        freshKeys().privateKey,
      ),
    ),
  "an extension that must be understood": idToken({}, { ...header, crit: ["b64"], b64: false }),
  "a token that is no token": () => tokens("not.a.token"),
  "a token of two parts": () => tokens("e30.e30"),
  "a number for a token": () => tokens(7),
  "no ID token": () => ({ body: { access_token: "at", token_type: "Bearer" } }),
  "no access token": (nonce, { privateKey }) => ({
    body: { token_type: "Bearer", id_token: forge(header, claimsFor("evil", nonce), privateKey) },
  }),
  "an error": () => ({ status: 400, body: { error: "invalid_grant" } }),
  "an error as success": () => ({ body: { error: "invalid_grant" } }),
  "a failure": () => ({ status: 500, body: "oops" }),
  "a page": () => ({ body: "<html></html>", headers: { "content-type": "text/html" } }),
  "malformed JSON": () => ({ body: '{"access_token":' }),
  "a list": () => ({ body: [] }),
  "a redirect": () => ({ status: 302, headers: { location: "http://169.254.169.254/" } }),
  "a huge answer": () => ({ body: { access_token: "x".repeat(3_000_000) } }),
  "an endless answer": () => ({ trick: "flood" }),
  silence: () => ({ trick: "silence" }),
  "a broken connection": () => ({ trick: "reset" }),
};

function freshKeys() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

describe("an OpenID provider that answers", () => {
  test("as it should signs in: what the others lack is what they are refused for", async () => {
    const before = await people();
    const started = await start("evil");
    provider.token = idToken({})(started.nonce, provider.keys);
    const reply = await back("evil", started);
    expect(reply.status, reply.text).toBe(200);
    expect(await people()).toBe(Number(before) + 1);
  });

  test.each(Object.keys(answers))("with %s signs nobody in", async (name) => {
    const before = await people();
    const started = await start("evil");
    provider.token = answers[name]?.(started.nonce, provider.keys) ?? {};
    const reply = await back("evil", started);
    expect(outcome(reply)).toEqual([401, "oidc_exchange_failed"]);
    expect(await people()).toBe(before);
    // The flow is used up: what failed once cannot be tried again with a better answer.
    provider.token = idToken({})(started.nonce, provider.keys);
    expect(outcome(await back("evil", started))).toEqual([400, "invalid_state"]);
  });

  test("under another name, or without its own, signs nobody in (RFC 9207)", async () => {
    for (const iss of ["https://accounts.example.com", `${provider.issuer}/plain`, ""]) {
      const started = await start("evil");
      provider.token = idToken({})(started.nonce, provider.keys);
      expect(outcome(await back("evil", started, { iss }))).toEqual([401, "oidc_exchange_failed"]);
    }
  });
});

describe.concurrent("a discovery document", () => {
  test.each(Object.keys(discoveries))("(%s) starts nothing", async (name) => {
    const reply = await request(`${cluster.api}/oidc/d-${name}/login`, {
      headers: { accept: "application/json" },
    });
    expect(outcome(reply)).toEqual([400, "oidc_begin_failed"]);
  });
});

describe("a key set", () => {
  test.each(Object.keys(keySets))("(%s) verifies nothing", async (name) => {
    const started = await start(`k-${name}`);
    provider.token = tokens(forge(header, claimsFor(`k-${name}`, started.nonce), provider.keys.privateKey));
    expect(outcome(await back(`k-${name}`, started))).toEqual([401, "oidc_exchange_failed"]);
  });
});

describe("an OAuth 2.0 provider", () => {
  const granted: Answer = { body: { access_token: "at", token_type: "bearer" } };
  const userInfos: Readonly<Record<string, Answer>> = {
    nobody: { body: {} },
    "an empty subject": { body: { sub: "" } },
    "an object for a subject": { body: { sub: { id: 1 } } },
    "a list": { body: [{ sub: "x" }] },
    "a page": { body: "<html></html>" },
    "a failure": { status: 500 },
    "a refusal": { status: 401 },
    "a redirect": { status: 302, headers: { location: "http://127.0.0.1:9/" } },
    "an endless answer": { trick: "flood" },
    "a broken connection": { trick: "reset" },
  };

  test.each(Object.keys(userInfos))("whose userinfo is %s signs nobody in", async (name) => {
    const before = await people();
    provider.token = granted;
    provider.userInfo = userInfos[name] ?? {};
    expect(outcome(await back("plain", await start("plain")))).toEqual([401, "userinfo_failed"]);
    expect(await people()).toBe(before);
  });

  test("whose grant fails signs nobody in", async () => {
    for (const token of [
      { status: 400, body: { error: "invalid_grant" } },
      { body: {} },
      { body: "access_token=x" },
    ]) {
      provider.token = token;
      expect(outcome(await back("plain", await start("plain")))).toEqual([401, "exchange_failed"]);
    }
  });

  test("says whose address is verified, and nothing else counts as yes", async () => {
    for (const claim of [false, "false", "1", 0, "yes", null]) {
      provider.token = granted;
      const email = `claimed-${++subjects}@example.com`;
      provider.userInfo = { body: { sub: `plain-${subjects}`, email, email_verified: claim } };
      const reply = await back("plain", await start("plain"));
      expect(reply.status, reply.text).toBe(200);
      const found = await call(cluster, "GetUserByEmail", { email });
      expect(found.status, JSON.stringify(claim)).not.toBe(200);
    }
  });
});

describe("an OAuth 2.0 provider that does not keep to the standard", () => {
  const grants: Readonly<Record<string, Answer>> = {
    "no token type": { body: { access_token: "at" } },
    "a list of scopes": { body: { access_token: "at", token_type: "bearer", scope: ["a", "b"] } },
    "a refresh token of null": { body: { access_token: "at", token_type: "bearer", refresh_token: null } },
    "text for a content type": {
      body: '{"access_token":"at","token_type":"bearer"}',
      headers: { "content-type": "text/plain" },
    },
    "an ID token nobody asked for": { body: { access_token: "at", token_type: "bearer", id_token: "x.y.z" } },
  };

  test.each(Object.keys(grants))("(%s) signs in all the same", async (name) => {
    provider.token = grants[name] ?? {};
    const email = `lenient-${++subjects}@example.com`;
    provider.userInfo = { body: { sub: `lenient-${subjects}`, email, email_verified: 1 } };
    const reply = await back("plain", await start("plain"));
    expect(reply.status, reply.text).toBe(200);
    expect((await call(cluster, "GetUserByEmail", { email })).status).toBe(200);
  });
});

test("nothing followed a redirect, and the server is unharmed", async () => {
  expect(provider.asked.some((path) => path.includes("/other/"))).toBe(false);
  expect((await request(`${cluster.url}/readyz`)).status).toBe(200);
  expect(workersOf(cluster.pid, "http").sort()).toEqual(pids);
});
