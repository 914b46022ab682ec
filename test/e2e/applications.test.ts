import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, request, type TestReply } from "../support/http.ts";

let cluster: TestCluster;
let admin: string;
let someone: string;

const yaml = `
limits: { enabled: true, buckets: { application_register: "off", application_rotate: "off" } }
applications: { self_registration: true, org_persona: org }
delegation: { audiences: [inference, billing] }
documents: { reader_slugs: [reader] }
personas:
  - name: root
    capabilities: { remote_applications: true }
  - name: org
    parent: root
    capabilities: { remote_applications: true }
`;

const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const epoch = (): number => Math.floor(Date.now() / 1000);

function signed(key: KeyObject, header: object, payload: unknown): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

interface Pair {
  readonly privateKey: KeyObject;
  readonly pem: string;
  readonly jwk: object;
}

function newKey(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    privateKey,
    pem: String(publicKey.export({ format: "pem", type: "spki" })),
    jwk: publicKey.export({ format: "jwk" }),
  };
}

/** A server of an application: whatever a path is set to. */
class Site {
  readonly pages = new Map<string, { status: number; body: string; headers?: Record<string, string> }>();
  readonly #server: Server;
  private constructor(server: Server) {
    this.#server = server;
  }
  static async start(): Promise<Site> {
    const site: Site = new Site(
      createServer((incoming, outgoing) => {
        const page = site.pages.get(incoming.url ?? "");
        outgoing.writeHead(page?.status ?? 404, page?.headers ?? {}).end(page?.body ?? "");
      }).listen(0, "127.0.0.1"),
    );
    await once(site.#server, "listening");
    return site;
  }
  get base(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }
  describe(document: unknown, status = 200, headers: Record<string, string> = {}): void {
    const body = typeof document === "string" ? document : JSON.stringify(document);
    this.pages.set("/.well-known/authkit/application.json", { status, body, headers });
  }
  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const sites: Site[] = [];
async function site(): Promise<Site> {
  const made = await Site.start();
  sites.push(made);
  return made;
}

const register = (domain: unknown): Promise<TestReply> =>
  api(cluster, "/applications/register", { body: { domain } });

let names = 0;
/** A registered application with one static key. */
async function application(): Promise<{ site: Site; key: Pair; slug: string; reply: TestReply }> {
  const at = await site();
  const key = newKey();
  const slug = `shop-${++names}`;
  at.describe({ slug, issuer: at.base, public_keys: [{ kid: "k1", public_key_pem: key.pem }] });
  return { site: at, key, slug, reply: await register(at.base) };
}

beforeAll(async () => {
  const config = join(await mkdtemp(join(tmpdir(), "authkit-applications-")), "authkit.yaml");
  await writeFile(config, yaml);
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: config,
      AUTHKIT_ENV: "dev",
      AUTHKIT_CONTRACT: "0.97",
      AUTHKIT_AUDIENCES: "resources",
    },
  });
  const owner = await registered(cluster);
  admin = owner.accessToken;
  const found = await call(cluster, "GetUserByEmail", { email: owner.email });
  const result = found.body["result"];
  const userID = typeof result === "object" && result !== null ? String(Reflect.get(result, "ID")) : "";
  const assigned = await call(cluster, "AssignRoleBySlug", { userID, slug: "owner" });
  if (assigned.status !== 200) throw new Error(assigned.text);
  someone = (await registered(cluster)).accessToken;
});
afterAll(async () => {
  for (const one of sites) one.close();
  await cluster?.stop();
});

describe("applications that register themselves", () => {
  test("once for a domain, with a group of their own, and again to be brought up to date", async () => {
    const { site: at, slug, reply, key } = await application();
    expect(reply.status, reply.text).toBe(201);
    expect(reply.body).toMatchObject({
      application: {
        ...{ slug, issuer: at.base, mode: "static", jwks_uri: "", tier: "registered", trust_root: "domain" },
        ...{ domain: at.base, enabled: true, document_endpoint: "", display_name: "" },
      },
      org: { persona: "org", instance_slug: slug },
      created: true,
    });
    at.describe({
      slug: "another",
      display_name: "Shop",
      issuer: `${at.base}/issuer`,
      jwks_uri: `${at.base}/jwks.json`,
      document_endpoint: `${at.base}/documents`,
    });
    const again = await register(at.base);
    expect(again.status, again.text).toBe(200);
    expect(again.body).toMatchObject({
      application: {
        ...{
          slug,
          display_name: "Shop",
          issuer: `${at.base}/issuer`,
          mode: "jwks",
          jwks_uri: `${at.base}/jwks.json`,
        },
        document_endpoint: `${at.base}/documents`,
      },
      org: { persona: "org", instance_slug: slug },
      created: false,
    });
    const members = await call(cluster, "ListGroupMembers", { persona: "org", instanceSlug: slug });
    expect(members.text).toContain("remote_application");
    expect(members.text).toContain("owner");
    expect(key.pem).toContain("PUBLIC KEY");
  });

  test.each([
    "",
    "shop",
    "Shop.example.com",
    "https://shop.example.com/path",
    "shop.example.com:443",
    "10.0.0.1",
    "user@shop.example",
    "a..b",
  ])("not under %j", async (domain) => {
    expect(outcome(await register(domain))).toEqual([
      400,
      domain === "" ? "invalid_request" : "application_domain_invalid",
    ]);
  });

  test("not with a document that is wrong", async () => {
    const at = await site();
    const { pem } = newKey();
    const keys = [{ kid: "a", public_key_pem: pem }];
    const wrong: unknown[] = [
      "no json",
      "[]",
      { issuer: at.base },
      { issuer: at.base, public_keys: keys, jwks_uri: `${at.base}/jwks.json` },
      { issuer: at.base, public_keys: [] },
      { issuer: at.base, public_keys: [{ kid: "a", public_key_pem: "x" }] },
      { issuer: at.base, public_keys: [...keys, ...keys] },
      { issuer: cluster.url, public_keys: keys },
      { issuer: "", public_keys: keys },
      { issuer: at.base, public_keys: keys, slug: "-x" },
      { issuer: at.base, public_keys: keys, slug: 7 },
      { issuer: at.base, public_keys: keys, display_name: "x".repeat(300) },
      { issuer: at.base, public_keys: keys, document_endpoint: "ftp://x" },
    ];
    for (const document of wrong) {
      at.describe(document);
      expect(outcome(await register(at.base)), JSON.stringify(document)).toEqual([
        400,
        "application_document_invalid",
      ]);
    }
  });

  test("not when the document cannot be had", async () => {
    const at = await site();
    expect(outcome(await register(at.base))).toEqual([502, "application_document_fetch_failed"]);
    at.describe("", 302, { location: `${at.base}/elsewhere` });
    expect(outcome(await register(at.base))).toEqual([502, "application_document_fetch_failed"]);
    at.describe("x".repeat(70_000));
    expect(outcome(await register(at.base))).toEqual([502, "application_document_fetch_failed"]);
    expect(outcome(await register("http://127.0.0.1:9"))).toEqual([502, "application_document_fetch_failed"]);
  });

  test("not over the name or the issuer of somebody else", async () => {
    const { slug, site: first } = await application();
    const at = await site();
    const keys = [{ kid: "a", public_key_pem: newKey().pem }];
    at.describe({ slug, issuer: at.base, public_keys: keys });
    expect(outcome(await register(at.base))).toEqual([409, "application_slug_conflict"]);
    at.describe({ slug: `${slug}-b`, issuer: first.base, public_keys: keys });
    expect(outcome(await register(at.base))).toEqual([409, "application_issuer_conflict"]);
    await call(cluster, "CreatePermissionGroup", { req: { Persona: "org", InstanceSlug: `${slug}-c` } });
    at.describe({ slug: `${slug}-c`, issuer: at.base, public_keys: keys });
    expect(outcome(await register(at.base))).toEqual([409, "application_slug_conflict"]);
  });

  test("twelve at once make one application and one group", async () => {
    const at = await site();
    const slug = `race-${++names}`;
    at.describe({ slug, issuer: at.base, public_keys: [{ kid: "a", public_key_pem: newKey().pem }] });
    const replies = await Promise.all(Array.from({ length: 12 }, () => register(at.base)));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const { status } of replies) expect([200, 201, 409]).toContain(status);
  });

  test("one an operator has disabled does not come back by itself", async () => {
    const { site: at, slug, key } = await application();
    const stored = await call(cluster, "GetRemoteApplication", { issuer: at.base });
    const record = stored.body["result"];
    const disabled = { ...(typeof record === "object" ? record : {}), Enabled: false };
    const off = await call(cluster, "UpsertRemoteApplication", { in: disabled });
    expect(off.status, off.text).toBe(200);
    expect(outcome(await register(at.base))).toEqual([403, "application_registration_disabled"]);
    const payload = { op: "rotate", slug, aud: cluster.url, iat: epoch(), jwks_uri: `${at.base}/jwks.json` };
    const jws = signed(
      key.privateKey,
      { alg: "ES256", kid: "k1", typ: "authkit-application-request+jws" },
      payload,
    );
    expect(outcome(await api(cluster, `/applications/${slug}/rotate`, { body: { jws } }))).toEqual([
      401,
      "application_signature_invalid",
    ]);
  });
});

describe("signed requests", () => {
  const header = { alg: "ES256", kid: "k1", typ: "authkit-application-request+jws" };
  const rotate = (slug: string, jws: string): Promise<TestReply> =>
    api(cluster, `/applications/${slug}/rotate`, { body: { jws } });

  test("replace the keys: the new ones sign from then on, the old ones no more", async () => {
    const { slug, key } = await application();
    const next = newKey();
    const payload = (pem: string): object => ({
      ...{ op: "rotate", slug, aud: cluster.url, iat: epoch() },
      public_keys: [{ kid: "k2", public_key_pem: pem }],
    });
    const first = signed(key.privateKey, header, payload(next.pem));
    const done = await rotate(slug, first);
    expect(done.status, done.text).toBe(200);
    expect(done.body).toMatchObject({ application: { slug, mode: "static" } });
    expect(outcome(await rotate(slug, signed(key.privateKey, header, payload(key.pem))))).toEqual([
      401,
      "application_signature_invalid",
    ]);
    const back = signed(next.privateKey, { ...header, kid: "k2" }, payload(key.pem));
    const replies = await Promise.all(Array.from({ length: 10 }, () => rotate(slug, back)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const reply of replies) {
      if (reply.status !== 200)
        expect(["application_signature_stale", "application_signature_invalid"]).toContain(reply.code);
    }
  });

  test("count for nothing when any part is wrong", async () => {
    const { slug, key } = await application();
    const good = {
      op: "rotate",
      slug,
      aud: cluster.url,
      iat: epoch(),
      public_keys: [{ kid: "k2", public_key_pem: newKey().pem }],
    };
    const wrong: (readonly [object, object])[] = [
      [{ ...header, typ: "JWT" }, good],
      [{ ...header, alg: "none" }, good],
      [{ ...header, alg: "HS256" }, good],
      [{ ...header, kid: "" }, good],
      [{ ...header, kid: "other" }, good],
      [{ ...header, crit: ["x"] }, good],
      [header, { ...good, op: "repoint" }],
      [header, { ...good, slug: "other" }],
      [header, { ...good, aud: [cluster.url] }],
      [header, { ...good, aud: "https://other.example" }],
      [header, { ...good, iat: "now" }],
      [header, { ...good, extra: 1 }],
    ];
    for (const [head, payload] of wrong) {
      const reply = await rotate(slug, signed(key.privateKey, head, payload));
      expect(outcome(reply), JSON.stringify([head, payload])).toEqual([401, "application_signature_invalid"]);
    }
    expect(outcome(await rotate(slug, "x.y.z"))).toEqual([401, "application_signature_invalid"]);
    expect(outcome(await rotate(slug, signed(newKey().privateKey, header, good)))).toEqual([
      401,
      "application_signature_invalid",
    ]);
    for (const iat of [epoch() - 400, epoch() + 400])
      expect(outcome(await rotate(slug, signed(key.privateKey, header, { ...good, iat })))).toEqual([
        401,
        "application_signature_stale",
      ]);
    const both = { ...good, jwks_uri: "https://x.example/jwks" };
    expect(outcome(await rotate(slug, signed(key.privateKey, header, both)))).toEqual([
      400,
      "application_document_invalid",
    ]);
    expect(outcome(await rotate("nobody", signed(key.privateKey, header, good)))).toEqual([404, "not_found"]);
    expect(outcome(await api(cluster, `/applications/${slug}/rotate`, { body: {} }))).toEqual([
      400,
      "invalid_request",
    ]);
  });

  test("with a key set, only what it holds now signs", async () => {
    const at = await site();
    const slug = `keyset-${++names}`;
    const key = newKey();
    at.pages.set("/jwks.json", { status: 200, body: JSON.stringify({ keys: [{ ...key.jwk, kid: "k1" }] }) });
    at.describe({ slug, issuer: at.base, jwks_uri: `${at.base}/jwks.json` });
    expect((await register(at.base)).status).toBe(201);
    const payload = (uri: string): object => ({
      op: "rotate",
      slug,
      aud: cluster.url,
      iat: epoch(),
      jwks_uri: `${at.base}${uri}`,
    });
    at.pages.set("/jwks.json", {
      status: 200,
      body: JSON.stringify({ keys: [{ ...newKey().jwk, kid: "k1" }] }),
    });
    expect(outcome(await rotate(slug, signed(key.privateKey, header, payload("/a.json"))))).toEqual([
      401,
      "application_signature_invalid",
    ]);
    at.pages.set("/jwks.json", { status: 200, body: JSON.stringify({ keys: [{ ...key.jwk, kid: "k1" }] }) });
    const done = await rotate(slug, signed(key.privateKey, header, payload("/b.json")));
    expect(done.body, done.text).toMatchObject({
      application: { mode: "jwks", jwks_uri: `${at.base}/b.json` },
    });
    at.pages.delete("/b.json");
    expect(outcome(await rotate(slug, signed(key.privateKey, header, payload("/c.json"))))).toEqual([
      401,
      "application_signature_invalid",
    ]);
  });

  test("move an application to another domain", async () => {
    const { slug, key, site: from } = await application();
    const { site: taken } = await application();
    const to = await site();
    const repoint = (payload: object): Promise<TestReply> =>
      api(cluster, `/applications/${slug}/repoint`, {
        body: {
          jws: signed(key.privateKey, header, {
            op: "repoint",
            slug,
            aud: cluster.url,
            iat: epoch(),
            ...payload,
          }),
        },
      });
    expect(outcome(await repoint({ domain: from.base }))).toEqual([400, "application_domain_invalid"]);
    expect(outcome(await repoint({ domain: "nonsense" }))).toEqual([400, "application_domain_invalid"]);
    expect(outcome(await repoint({ domain: to.base }))).toEqual([502, "application_document_fetch_failed"]);
    to.describe({ issuer: to.base });
    expect(outcome(await repoint({ domain: to.base, iat: epoch() + 1 }))).toEqual([
      400,
      "application_document_invalid",
    ]);
    const keys = [{ kid: "k9", public_key_pem: key.pem }];
    taken.describe({ issuer: `${taken.base}/new`, public_keys: keys });
    expect(outcome(await repoint({ domain: taken.base }))).toEqual([409, "application_domain_conflict"]);
    to.describe({ issuer: taken.base, public_keys: keys });
    expect(outcome(await repoint({ domain: to.base, iat: epoch() + 2 }))).toEqual([
      409,
      "application_issuer_conflict",
    ]);
    to.describe({ issuer: to.base, public_keys: keys });
    const moved = await repoint({ domain: to.base, iat: epoch() + 3 });
    expect(moved.status, moved.text).toBe(200);
    expect(moved.body).toMatchObject({
      application: { slug, domain: to.base, issuer: to.base },
      org: { instance_slug: slug },
      created: false,
    });
    expect(outcome(await api(cluster, "/applications/nobody/repoint", { body: { jws: "x" } }))).toEqual([
      404,
      "not_found",
    ]);
  });

  test("one an operator registered has no domain to leave, and gets its tier from administrators", async () => {
    const slug = `manual-${++names}`;
    const key = newKey();
    const root = await call(cluster, "EnsureRootGroup");
    const stored = await call(cluster, "UpsertRemoteApplication", {
      in: {
        Slug: slug,
        Issuer: `https://${slug}.example`,
        PublicKeys: [{ kid: "k1", public_key_pem: key.pem }],
        PermissionGroupID: root.body["result"],
        Enabled: true,
      },
    });
    expect(stored.status, stored.text).toBe(200);
    expect(outcome(await api(cluster, `/applications/${slug}/repoint`, { body: { jws: "x" } }))).toEqual([
      409,
      "application_not_domain_rooted",
    ]);
    const tier = (body: object, bearer?: string): Promise<TestReply> =>
      api(cluster, `/admin/applications/${slug}/tier`, { body, ...(bearer === undefined ? {} : { bearer }) });
    expect(outcome(await tier({ tier: "registered" }))).toEqual([401, "missing_token"]);
    expect(outcome(await tier({ tier: "registered" }, someone))).toEqual([403, "forbidden"]);
    expect(outcome(await tier({ tier: "gold" }, admin))).toEqual([400, "application_tier_invalid"]);
    expect(outcome(await tier({}, admin))).toEqual([400, "invalid_request"]);
    const done = await tier({ tier: "registered" }, admin);
    expect(done.body, done.text).toMatchObject({
      application: { slug, tier: "registered", trust_root: "manual", domain: "" },
    });
    expect(
      outcome(
        await api(cluster, "/admin/applications/nobody/tier", { body: { tier: "approved" }, bearer: admin }),
      ),
    ).toEqual([404, "not_found"]);
  });
});

describe("delegated tokens a user asks for", () => {
  const mint = (body?: object, bearer = someone): Promise<TestReply> =>
    api(cluster, "/delegated/token", { method: "POST", bearer, ...(body === undefined ? {} : { body }) });
  const claims = (reply: TestReply): Record<string, unknown> =>
    JSON.parse(Buffer.from(String(reply.body["token"]).split(".")[1] ?? "", "base64url").toString());

  test("for all audiences or some, never longer than an hour", async () => {
    const plain = await mint();
    expect(plain.status, plain.text).toBe(200);
    const told = claims(plain);
    expect(told).toMatchObject({ iss: cluster.url, aud: ["inference", "billing"] });
    expect(told["sub"]).toBeUndefined();
    expect(typeof told["delegated_sub"]).toBe("string");
    expect(Number(told["exp"]) - Number(told["iat"])).toBe(900);
    expect(Date.parse(String(plain.body["expires_at"])) / 1000).toBe(told["exp"]);
    for (const [asked, given] of [
      [10, 60],
      [-5, 900],
      [7200, 3600],
      [120, 120],
    ] as const) {
      const reply = claims(await mint({ ttl_seconds: asked, audiences: [" billing ", "billing"] }));
      expect(Number(reply["exp"]) - Number(reply["iat"])).toBe(given);
      expect(reply["aud"]).toEqual(["billing"]);
    }
  });

  test("for no other audience, for nobody else, and for no account route", async () => {
    expect(outcome(await mint({ audiences: ["other"] }))).toEqual([400, "invalid_audiences"]);
    expect(outcome(await mint({ audiences: "billing" }))).toEqual([400, "invalid_request"]);
    expect(outcome(await mint({}, "x"))).toEqual([401, "invalid_token"]);
    expect(outcome(await api(cluster, "/delegated/token", { method: "POST" }))).toEqual([
      401,
      "missing_token",
    ]);
    const token = String((await mint()).body["token"]);
    expect((await api(cluster, "/me", { bearer: token })).status).toBe(401);
  });

  test("each is in the audit trail, by its id", async () => {
    const { jti, delegated_sub: subject } = claims(await mint({ audiences: ["billing"] }));
    const client = new pg.Client({ connectionString: cluster.databaseUrl });
    await client.connect();
    const { rows } = await client
      .query("SELECT action, actor, target, details FROM profiles.audit_log WHERE details ->> 'jti' = $1", [
        jti,
      ])
      .finally(() => client.end());
    expect(rows).toEqual([
      {
        action: "token.minted",
        actor: `user:${subject}`,
        target: `subject:${subject}`,
        details: { method: "delegated/token", subject, audience: ["billing"], jti },
      },
    ]);
  });
});

describe("signed documents", () => {
  const issuer = "https://reader.example";
  const key = newKey();
  const token = (payload: object = {}): string =>
    signed(
      key.privateKey,
      { alg: "ES256", kid: "r1", typ: "remote-application-access+jwt" },
      {
        ...{ iss: issuer, aud: ["resources"], iat: epoch(), exp: epoch() + 300 },
        ...payload,
      },
    );
  const read = (digest: string, options: Parameters<typeof request>[1] = {}): Promise<TestReply> =>
    request(`${cluster.url}/.well-known/authkit/documents/${digest}`, { bearer: token(), ...options });
  const empty = (reply: TestReply): [number, string] => [reply.status, reply.text];
  let digest = "";

  beforeAll(async () => {
    const root = await call(cluster, "EnsureRootGroup");
    for (const [slug, own] of [
      ["reader", issuer],
      ["other", "https://other.example"],
    ]) {
      const stored = await call(cluster, "UpsertRemoteApplication", {
        in: {
          Slug: slug,
          Issuer: own,
          PublicKeys: [{ kid: "r1", public_key_pem: key.pem }],
          PermissionGroupID: root.body["result"],
          Enabled: true,
        },
      });
      if (stored.status !== 200) throw new Error(stored.text);
    }
    const made = await call(cluster, "SignDocument", {
      envelope: {
        iss: "",
        aud: ["reader.example"],
        type: "example.catalog/v1",
        payload: { plans: ["free", "pro"] },
      },
    });
    if (made.status !== 200) throw new Error(made.text);
    const result = made.body["result"];
    const reference: unknown =
      typeof result === "object" && result !== null ? Reflect.get(result, "reference") : undefined;
    digest =
      typeof reference === "object" && reference !== null ? String(Reflect.get(reference, "digest")) : "";
  });

  test("are read by the applications that may, and cached by their tag", async () => {
    const reply = await read(digest);
    expect(reply.status, reply.text).toBe(200);
    expect(reply.headers.get("content-type")).toBe("application/jose");
    expect(reply.headers.get("cache-control")).toBe("private, no-cache");
    const payload = Buffer.from(reply.text.split(".")[1] ?? "", "base64url");
    expect(`sha256:${createHash("sha256").update(payload).digest("hex")}`).toBe(digest);
    const etag = reply.headers.get("etag") ?? "";
    expect(etag).toBe(`"sha256:${createHash("sha256").update(reply.text).digest("hex")}"`);
    const same = await read(digest, { headers: { "if-none-match": `"x", ${etag}` } });
    expect(empty(same)).toEqual([304, ""]);
    expect(same.headers.get("etag")).toBe(etag);
    expect((await read(digest, { headers: { "if-none-match": `W/${etag}` } })).status).toBe(200);
    expect((await read(digest, { method: "HEAD" })).status).toBe(200);
  });

  test("are read by nobody else", async () => {
    expect(outcome(await request(`${cluster.url}/.well-known/authkit/documents/${digest}`))).toEqual([
      401,
      "missing_token",
    ]);
    expect(outcome(await read(digest, { bearer: "x" }))).toEqual([401, "invalid_token"]);
    expect(
      outcome(await request(`${cluster.url}/.well-known/authkit/documents/${digest}`, { method: "DELETE" })),
    ).toEqual([401, "missing_token"]);
    for (const bearer of [someone, token({ iss: "https://other.example" })]) {
      const reply = await read(digest, { bearer });
      expect(empty(reply)).toEqual([401, ""]);
      expect(reply.headers.get("www-authenticate")).toBe("Bearer");
    }
    const put = await read(digest, { method: "PUT" });
    expect(empty(put)).toEqual([405, ""]);
    expect(put.headers.get("allow")).toBe("GET, HEAD");
    expect(empty(await read("sha256:xyz"))).toEqual([404, ""]);
    expect(empty(await read(`sha256:${"0".repeat(64)}`))).toEqual([404, ""]);
  });
});
