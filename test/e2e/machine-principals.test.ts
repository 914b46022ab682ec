import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, request, type TestReply } from "../support/http.ts";

let cluster: TestCluster;

const yaml = `
limits: { enabled: false }
personas:
  - name: root
    capabilities: { api_keys: true, remote_applications: true }
    roles:
      - { name: auditor, permissions: ["root:resources:read"] }
      - { name: steward, permissions: ["root:users:recover", "root:resources:read"] }
  - name: org
    parent: root
    capabilities: { api_keys: true, remote_applications: true }
    roles:
      - { name: reader, permissions: ["org:members:read"] }
      - { name: clerk, permissions: ["org:members:read", "org:credentials:read"] }
`;

type Account = Awaited<ReturnType<typeof registered>> & { readonly id: string };

async function account(): Promise<Account> {
  const made = await registered(cluster);
  const claims: unknown = JSON.parse(
    Buffer.from(made.accessToken.split(".")[1] ?? "", "base64url").toString(),
  );
  const id = typeof claims === "object" && claims !== null ? String(Reflect.get(claims, "sub")) : "";
  return { ...made, id };
}

let owner: Account;
let admin: Account;
let slugs = 0;

async function group(of: Account): Promise<string> {
  slugs++;
  const slug = `acme-${slugs}`;
  const req = { Persona: "org", InstanceSlug: slug, OwnerSubjectID: of.id };
  const created = await call(cluster, "CreatePermissionGroup", { req });
  if (created.status !== 200) throw new Error(created.text);
  return slug;
}

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "authkit-machines-"));
  const config = join(directory, "authkit.yaml");
  await writeFile(config, yaml);
  cluster = await startCluster({ env: { ...behindProxy, AUTHKIT_CONFIG: config } });
  owner = await account();
  admin = await account();
  await call(cluster, "EnsureRootGroup");
  const assigned = await call(cluster, "AssignRoleBySlug", { userID: admin.id, slug: "owner" });
  if (assigned.status !== 200) throw new Error(assigned.text);
});
afterAll(() => cluster?.stop());

const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];

describe("API keys", () => {
  test("minted, used for what their role allows, listed without secrets, refused once revoked", async () => {
    const minted = await api(cluster, "/root/any/api-keys", {
      body: { name: "ci", role: "auditor", expires_at: "2099-01-01T00:00:00Z" },
      bearer: admin.accessToken,
    });
    expect(minted.status, minted.text).toBe(201);
    expect(minted.body).toMatchObject({ name: "ci", role: "auditor", permissions: ["root:resources:read"] });
    const secret = String(minted.body["secret"]);
    expect(secret).toMatch(/^st_[0-9A-Za-z]{16}_[0-9A-Za-z]{43}$/);

    const users = await api(cluster, "/admin/users?page_size=1", { bearer: secret });
    expect(users.status).toBe(200);
    const denied = await api(cluster, `/admin/users/${owner.id}/restore`, { method: "POST", bearer: secret });
    expect(outcome(denied)).toEqual([403, "forbidden"]);
    // A key has no account.
    expect(outcome(await api(cluster, "/me", { bearer: secret }))).toEqual([401, "unauthorized"]);
    expect(outcome(await api(cluster, "/me/groups", { bearer: secret }))).toEqual([401, "not_authenticated"]);
    expect(outcome(await api(cluster, "/admin/users", { bearer: `${secret}x` }))).toEqual([
      401,
      "invalid_token",
    ]);
    expect(outcome(await api(cluster, "/admin/users", { bearer: "st_nothing" }))).toEqual([
      401,
      "invalid_token",
    ]);

    const list = await api(cluster, "/root/any/api-keys", { bearer: admin.accessToken });
    expect(list.body).toMatchObject({ object: "list", persona: "root" });
    expect(list.text).not.toContain(secret.slice(20));
    const id = String(minted.body["id"]);
    const revoked = await api(cluster, `/root/any/api-keys/${id}`, {
      method: "DELETE",
      bearer: admin.accessToken,
    });
    expect(revoked.body).toEqual({ ok: true, id });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        request(`${cluster.api}/admin/users`, { bearer: secret, headers: { connection: "close" } }),
      ),
    );
    for (const answer of answers) expect(outcome(answer)).toEqual([401, "token_revoked"]);
    const again = await api(cluster, `/root/any/api-keys/${id}`, {
      method: "DELETE",
      bearer: admin.accessToken,
    });
    expect(outcome(again)).toEqual([404, "not_found"]);
  });

  test("a key of one group speaks for no other", async () => {
    const slug = await group(owner);
    const minted = await api(cluster, `/org/${slug}/api-keys`, {
      body: { name: "reader", role: "clerk" },
      bearer: owner.accessToken,
    });
    expect(minted.status, minted.text).toBe(201);
    const users = await api(cluster, "/admin/users", { bearer: String(minted.body["secret"]) });
    expect(outcome(users)).toEqual([403, "forbidden"]);
  });

  test("refusals", async () => {
    const slug = await group(owner);
    const mint = async (body: unknown, bearer = owner.accessToken) =>
      outcome(await api(cluster, `/org/${slug}/api-keys`, { body, bearer }));
    expect(await mint({ name: " ", role: "reader" })).toEqual([400, "invalid_request"]);
    expect(await mint({ name: "x", role: "" })).toEqual([400, "invalid_request"]);
    expect(await mint({ name: "x", role: "no-such-role" })).toEqual([400, "invalid_request"]);
    expect(await mint({ name: "x", role: "reader", expires_at: "2001-01-01T00:00:00Z" })).toEqual([
      400,
      "invalid_request",
    ]);
    expect(await mint({ name: "x", role: "reader", expires_at: "tomorrow" })).toEqual([
      400,
      "invalid_request",
    ]);
    expect(await mint({ name: "x".repeat(129), role: "reader" })).toEqual([400, "invalid_request"]);
    const stranger = await account();
    expect(await mint({ name: "x", role: "reader" }, stranger.accessToken)).toEqual([403, "forbidden"]);
    expect(outcome(await api(cluster, `/org/${slug}/api-keys`))).toEqual([401, "missing_token"]);
    expect(outcome(await api(cluster, `/org/nowhere/api-keys`, { bearer: owner.accessToken }))).toEqual([
      403,
      "forbidden",
    ]);
  });

  test("the management methods: mint, list, resolve, revoke", async () => {
    const slug = await group(owner);
    const address = { persona: "org", instanceSlug: slug };
    const missing = await call(cluster, "MintAPIKey", {
      ...address,
      name: "",
      role: "reader",
      createdBy: owner.id,
    });
    expect(missing.code).toBe("missing_name");
    const unknown = await call(cluster, "MintAPIKey", {
      ...address,
      name: "x",
      role: "boss",
      createdBy: owner.id,
    });
    expect(unknown.code).toBe("unknown_role");
    const noRole = await call(cluster, "MintAPIKey", {
      ...address,
      name: "x",
      role: " ",
      createdBy: owner.id,
    });
    expect(noRole.code).toBe("invalid_role");
    const nobody = await call(cluster, "MintAPIKey", {
      ...address,
      name: "x",
      role: "reader",
      createdBy: "",
    });
    expect(nobody.code).toBe("insufficient_role_authority");
    const past = await call(cluster, "MintAPIKeyWithOptions", {
      ...address,
      opts: { Name: "x", Role: "reader", CreatedBy: owner.id, ExpiresAt: "2001-01-01T00:00:00Z" },
    });
    expect(past.code).toBe("invalid_expiry");
    const nowhere = await call(cluster, "ListAPIKeys", { persona: "org", instanceSlug: "nowhere" });
    expect(nowhere.code).toBe("permission_group_not_found");
    expect((await call(cluster, "ListAPIKeys", address)).body).toEqual({ result: null });

    const minted = await call(cluster, "MintAPIKeyWithOptions", {
      ...address,
      opts: { Name: " ci ", Role: "Reader", CreatedBy: owner.id, ExpiresAt: null },
    });
    const result = minted.body["result"];
    if (typeof result !== "object" || result === null) throw new Error(minted.text);
    const text = String(Reflect.get(result, "r1"));
    const [, keyID = "", secret = ""] = text.split("_");
    expect(Reflect.get(result, "r0")).toMatchObject({
      KeyID: keyID,
      Name: "ci",
      Role: "reader",
      Permissions: ["org:members:read"],
      CreatedBy: owner.id,
      ExpiresAt: null,
      RevokedAt: null,
    });
    const resolved = await call(cluster, "ResolveAPIKeyDetailed", { keyID, secret });
    expect(resolved.body["result"]).toMatchObject({ KeyID: keyID, Role: "reader" });
    expect(resolved.body["result"]).not.toHaveProperty("Persona");
    const plain = await call(cluster, "ResolveAPIKey", { keyID, secret });
    expect(plain.body["result"]).toMatchObject({ r1: ["org:members:read"] });
    expect((await call(cluster, "ResolveAPIKey", { keyID, secret: "wrong" })).code).toBe("invalid_token");
    const tokenID = Reflect.get(Object(Reflect.get(result, "r0")), "ID");
    expect((await call(cluster, "RevokeAPIKey", { ...address, tokenID })).body).toEqual({ result: true });
    expect((await call(cluster, "RevokeAPIKey", { ...address, tokenID })).body).toEqual({ result: false });
    expect((await call(cluster, "ResolveAPIKeyDetailed", { keyID, secret })).code).toBe("token_revoked");
  });
});

/** An application with keys of its own, served as a JWK set. */
class Application {
  readonly issuer: string;
  readonly #server: Server;
  #keys: readonly { readonly kid: string; readonly publicKey: KeyObject; readonly privateKey: KeyObject }[] =
    [];
  answer: "keys" | "error" | "huge" | "text" = "keys";
  requests = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<Application> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const application = new Application(
      server,
      typeof address === "object" && address !== null ? address.port : 0,
    );
    server.on("request", (_request, response) => {
      application.requests++;
      if (application.answer === "error") response.statusCode = 500;
      if (application.answer === "huge") response.end(`{"keys":["${"x".repeat(2_000_000)}"]}`);
      else if (application.answer === "text") response.end("not json");
      else response.end(JSON.stringify({ keys: application.#keys.map(jwk) }));
    });
    application.rotate("k1");
    return application;
  }

  /** Makes another key the only one. */
  rotate(kid: string): void {
    const pair = generateKeyPairSync("ed25519");
    this.#keys = [{ kid, ...pair }];
  }

  token(typ: string, claims: Record<string, unknown>, header: Record<string, unknown> = {}): string {
    const [key] = this.#keys;
    if (key === undefined) throw new Error("no key");
    const now = Math.floor(Date.now() / 1000);
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const head = encode({ alg: "EdDSA", typ, kid: key.kid, ...header });
    const body = encode({ iss: this.issuer, aud: ["authkit"], iat: now, exp: now + 300, ...claims });
    return `${head}.${body}.${sign(null, Buffer.from(`${head}.${body}`), key.privateKey).toString("base64url")}`;
  }

  pem(): string {
    return String(this.#keys[0]?.publicKey.export({ type: "spki", format: "pem" }));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function jwk({ kid, publicKey }: { readonly kid: string; readonly publicKey: KeyObject }): object {
  return { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "EdDSA" };
}

describe("remote applications", () => {
  let application: Application;
  beforeAll(async () => {
    application = await Application.start();
  });
  afterAll(() => application.stop());

  async function store(more: Record<string, unknown> = {}): Promise<TestReply> {
    return api(cluster, "/root/any/remote-applications", {
      body: {
        slug: "crm",
        issuer: application.issuer,
        jwks_uri: `${application.issuer}/jwks.json`,
        ...more,
      },
      bearer: admin.accessToken,
    });
  }

  const self = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    application.token("remote-application-access+jwt", claims, header);
  const users = async (bearer: string) => outcome(await api(cluster, "/admin/users?page_size=1", { bearer }));

  test("its tokens count for the roles it was given, from the next request on, and no longer once it is switched off", async () => {
    const stored = await store();
    expect(stored.status, stored.text).toBe(201);
    expect(stored.body).toMatchObject({
      slug: "crm",
      issuer: application.issuer,
      mode: "jwks",
      enabled: true,
    });
    expect(await users(self())).toEqual([403, "forbidden"]);
    const given = await api(cluster, "/root/any/remote-applications/crm/roles/auditor", {
      method: "PUT",
      bearer: admin.accessToken,
    });
    expect(given.status, given.text).toBe(200);
    expect(await users(self())).toEqual([200, undefined]);
    expect(await users(self({ permissions: ["root:resources:read"] }))).toEqual([200, undefined]);
    expect(await users(self({ permissions: ["root:users:ban"] }))).toEqual([401, "permission_not_granted"]);
    // A token for a subject is capped by what the application may do, and is nobody's account here.
    const delegated = application.token("delegated-access+jwt", {
      delegated_sub: "their-user-1",
      permissions: ["root:resources:read"],
    });
    expect(await users(delegated)).toEqual([200, undefined]);
    expect(outcome(await api(cluster, "/me", { bearer: delegated }))).toEqual([401, "unauthorized"]);

    await store({ enabled: false });
    expect(await users(self())).toEqual([401, "invalid_token"]);
    await store({ enabled: true });
    expect(await users(self())).toEqual([200, undefined]);
  });

  test("cannot sign for a user of this server", async () => {
    await store();
    const forged = application.token("access+jwt", { sub: admin.id, sid: admin.id, roles: ["owner"] });
    const reply = await api(cluster, "/me", { bearer: forged });
    expect(reply.status).toBe(401);
    expect((await api(cluster, "/admin/users", { bearer: forged })).status).toBe(401);
  });

  test("forged, foreign and stale tokens are refused", async () => {
    await store();
    const now = Math.floor(Date.now() / 1000);
    const bad = [
      self({ exp: now - 3600, iat: now - 7200 }),
      self({ aud: ["somebody-else"] }),
      self({}, { alg: "none" }),
      self({}, { alg: "HS256" }),
      self({ iss: "http://127.0.0.1:1" }),
      `${self().slice(0, -8)}AAAAAAAA`,
      self({}, { jku: "http://evil.example/jwks", jwk: { kty: "OKP" } }).replace(/.{4}$/, "AAAA"),
    ];
    for (const token of bad) expect((await users(token))[0]).toBe(401);
    expect(await users(self())).toEqual([200, undefined]);
  });

  test("rotates its keys without anybody being told; its server may be away meanwhile", async () => {
    await store();
    // On connections of their own, so that every worker has fetched the keys.
    const everywhere = () =>
      Promise.all(
        Array.from({ length: 24 }, () =>
          request(`${cluster.api}/admin/users?page_size=1`, {
            bearer: self(),
            headers: { connection: "close" },
          }),
        ),
      );
    for (const reply of await everywhere()) expect(reply.status, reply.text).toBe(200);
    const before = application.requests;
    application.answer = "error";
    for (const reply of await everywhere()) expect(reply.status, reply.text).toBe(200);
    application.answer = "keys";
    expect(application.requests).toBe(before);
  });

  test.each(["error", "huge", "text"] as const)(
    "a key server that answers %s verifies nothing and breaks nothing",
    async (answer) => {
      const hostile = await Application.start();
      hostile.answer = answer;
      try {
        const stored = await api(cluster, "/root/any/remote-applications", {
          body: { slug: `bad-${answer}`, issuer: hostile.issuer, jwks_uri: `${hostile.issuer}/jwks` },
          bearer: admin.accessToken,
        });
        expect(stored.status).toBe(201);
        const token = hostile.token("remote-application-access+jwt", {});
        expect(await users(token)).toEqual([401, "invalid_token"]);
        expect((await request(`${cluster.url}/readyz`)).status).toBe(200);
      } finally {
        await hostile.stop();
      }
    },
  );

  test("static keys", async () => {
    const stored = await api(cluster, "/root/any/remote-applications", {
      body: {
        slug: "static-app",
        issuer: "https://static.example",
        public_keys: [{ kid: "k1", public_key_pem: application.pem() }],
      },
      bearer: admin.accessToken,
    });
    expect(stored.body).toMatchObject({ mode: "static", jwks_uri: "" });
    const token = application.token("remote-application-access+jwt", { iss: "https://static.example" });
    expect(await users(token)).toEqual([403, "forbidden"]);
    const gone = await api(cluster, "/root/any/remote-applications/static-app", {
      method: "DELETE",
      bearer: admin.accessToken,
    });
    expect(gone.body).toEqual({ ok: true, slug: "static-app" });
    expect(await users(token)).toEqual([401, "invalid_token"]);
  });

  test("refusals at registration, and another group's issuer is not taken over", async () => {
    const attempt = async (more: Record<string, unknown>) => outcome(await store(more));
    expect(await attempt({ slug: "Bad Slug!" })).toEqual([400, "invalid_request"]);
    expect(await attempt({ issuer: `${cluster.url}/` })).toEqual([400, "invalid_request"]);
    expect(await attempt({ jwks_uri: "ftp://x.example/jwks" })).toEqual([400, "invalid_request"]);
    expect(await attempt({ mode: "carrier" })).toEqual([400, "invalid_request"]);
    expect(await attempt({ public_keys: [{ public_key_pem: "not a key" }], jwks_uri: "" })).toEqual([
      400,
      "invalid_request",
    ]);
    const slug = await group(owner);
    const takeover = await api(cluster, `/org/${slug}/remote-applications`, {
      body: { slug: "crm", issuer: application.issuer, jwks_uri: `${application.issuer}/other` },
      bearer: owner.accessToken,
    });
    expect(outcome(takeover)).toEqual([409, "application_issuer_conflict"]);
    const sameSlug = await api(cluster, `/org/${slug}/remote-applications`, {
      body: { slug: "crm", issuer: "https://other.example", jwks_uri: "https://other.example/jwks" },
      bearer: owner.accessToken,
    });
    expect(outcome(sameSlug)).toEqual([409, "application_slug_conflict"]);
    const foreign = await api(cluster, `/org/${slug}/remote-applications/crm`, {
      method: "DELETE",
      bearer: owner.accessToken,
    });
    expect(outcome(foreign)).toEqual([404, "not_found"]);
    expect(
      (await api(cluster, `/org/${slug}/remote-applications`, { bearer: owner.accessToken })).body["data"],
    ).toEqual([]);
  });

  test("the management methods", async () => {
    const found = await call(cluster, "GetRemoteApplication", { issuer: application.issuer });
    const result = found.body["result"];
    expect(result).toMatchObject({ Slug: "crm", Issuer: application.issuer, PublicKeys: null });
    const appID = typeof result === "object" && result !== null ? Reflect.get(result, "ID") : "";
    const groupID =
      typeof result === "object" && result !== null ? Reflect.get(result, "PermissionGroupID") : "";
    expect((await call(cluster, "ResolveRemoteApplicationAuthority", { appID })).body["result"]).toEqual([
      "root:resources:read",
    ]);
    expect((await call(cluster, "ResolveRemoteApplicationAuthority", { appID: "" })).code).toBe(
      "invalid_remote_application",
    );
    expect((await call(cluster, "ResolveRemoteApplicationAuthority", { appID: groupID })).code).toBe(
      "remote_application_not_found",
    );
    expect((await call(cluster, "GetRemoteApplication", { issuer: "https://nobody.example" })).code).toBe(
      "remote_application_not_found",
    );
    const upserted = await call(cluster, "UpsertRemoteApplication", {
      in: {
        Slug: "billing",
        Issuer: "https://billing.example",
        JWKSURI: "https://billing.example/jwks",
        PermissionGroupID: groupID,
        Enabled: true,
      },
    });
    expect(upserted.body["result"]).toMatchObject({ Slug: "billing", Mode: "jwks" });
    const reserved = await call(cluster, "UpsertRemoteApplication", {
      in: { Slug: "x", Issuer: cluster.url, PermissionGroupID: groupID },
    });
    expect(reserved.code).toBe("reserved_issuer");
    const invalid = await call(cluster, "UpsertRemoteApplication", { in: { Slug: "", Issuer: "" } });
    expect(invalid.code).toBe("invalid_remote_application");
    const listed = await call(cluster, "ListRemoteApplications", { activeOnly: true });
    expect(listed.text).toContain("billing");
    const definition = await call(cluster, "ResolveRemoteAppAttributeDef", {
      appID,
      key: "tier",
      version: 0,
    });
    expect(definition.code).toBe("attribute_def_not_found");
    expect(
      (await call(cluster, "ResolveRemoteAppAttributeDef", { appID: "", key: "", version: 0 })).code,
    ).toBe("invalid_attribute_def");
    expect(
      (await call(cluster, "DeleteRemoteApplication", { issuer: "https://billing.example" })).status,
    ).toBe(200);
    expect((await call(cluster, "DeleteRemoteApplication", { issuer: "https://billing.example" })).code).toBe(
      "remote_application_not_found",
    );
  });
});
