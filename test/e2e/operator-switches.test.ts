import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IssuerNotAccepted, publishIssuer } from "../../src/client/index.ts";
import { api, behindProxy, newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, type TestReply } from "../support/http.ts";
import { sendRaw } from "../support/raw-http.ts";

const yaml = `
limits: { enabled: false }
personas:
  - name: root
    capabilities: { api_keys: true, remote_applications: true }
    roles:
      - { name: guard, permissions: ["root:users:ban"] }
`;

const switches = {
  AUTHKIT_CREATE_USER_UNCHECKED: "true",
  AUTHKIT_MACHINES_MAY_BAN: "true",
  AUTHKIT_PURGE_REVOKES_API_KEYS: "true",
  AUTHKIT_2FA_ENDS_SESSIONS: "true",
  AUTHKIT_STRICT_STATUS: "true",
};

interface Person {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly accessToken: string;
}

interface Deployment {
  readonly cluster: TestCluster;
  readonly admin: Person;
  readonly sql: pg.Client;
}

const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];

async function person(cluster: TestCluster): Promise<Person> {
  const made = await registered(cluster);
  const claims = JSON.parse(Buffer.from(made.accessToken.split(".")[1] ?? "", "base64url").toString());
  return { ...made, id: String(claims.sub) };
}

async function deploy(env: Readonly<Record<string, string>>): Promise<Deployment> {
  const file = join(await mkdtemp(join(tmpdir(), "authkit-switches-")), "authkit.yaml");
  await writeFile(file, yaml);
  const cluster = await startCluster({ env: { ...behindProxy, AUTHKIT_CONFIG: file, ...env } });
  const admin = await person(cluster);
  await call(cluster, "EnsureRootGroup");
  const assigned = await call(cluster, "AssignRoleBySlug", { userID: admin.id, slug: "owner" });
  if (assigned.status !== 200) throw new Error(assigned.text);
  const sql = new pg.Client({ connectionString: cluster.databaseUrl });
  await sql.connect();
  return { cluster, admin, sql };
}

let plain: Deployment;
let switched: Deployment;
beforeAll(async () => {
  [plain, switched] = await Promise.all([deploy({}), deploy(switches)]);
}, 60_000);
afterAll(async () => {
  for (const deployment of [plain, switched]) {
    await deployment?.sql.end();
    await deployment?.cluster.stop();
  }
});

/** A key with the right to ban, made by somebody new who owns the deployment too. */
async function mint({ cluster }: Deployment): Promise<{ maker: Person; key: TestReply["body"] }> {
  const maker = await person(cluster);
  await call(cluster, "AssignRoleBySlug", { userID: maker.id, slug: "owner" });
  const body = { name: "ci", role: "guard" };
  const minted = await api(cluster, "/root/any/api-keys", { body, bearer: maker.accessToken });
  if (minted.status !== 201) throw new Error(minted.text);
  return { maker, key: minted.body };
}

const ban = (cluster: TestCluster, bearer: string, id: string) =>
  api(cluster, `/admin/users/${id}/ban`, { body: { until: "infinite", reason: "spam" }, bearer });

describe("bans", () => {
  test("name the keys that go on working", async () => {
    const { maker, key } = await mint(plain);
    const banned = await ban(plain.cluster, plain.admin.accessToken, maker.id);
    const listed = { id: key["id"], key_id: key["key_id"], name: "ci", persona: "root", instance_slug: "" };
    expect(banned.body).toEqual({ ok: true, user_id: maker.id, api_keys: [listed] });
    const someone = await person(plain.cluster);
    const other = await ban(plain.cluster, plain.admin.accessToken, someone.id);
    expect(other.body).toEqual({ ok: true, user_id: someone.id });
  });

  test("by machines, where they may: nobody in particular has banned, the audit trail names the key", async () => {
    const refused = await mint(plain);
    const safe = await person(plain.cluster);
    const reply = await ban(plain.cluster, String(refused.key["secret"]), safe.id);
    expect(outcome(reply)).toEqual([401, "unauthorized"]);

    const { key, maker } = await mint(switched);
    const someone = await person(switched.cluster);
    const banned = await ban(switched.cluster, String(key["secret"]), someone.id);
    expect([banned.status, banned.body]).toEqual([200, { ok: true, user_id: someone.id }]);
    const { rows } = await switched.sql.query(
      `SELECT u.ban_reason, u.banned_by, a.actor FROM profiles.users AS u
       JOIN profiles.audit_log AS a ON a.target = 'user:' || u.id AND a.action = 'user.banned' WHERE u.id = $1`,
      [someone.id],
    );
    expect(rows).toEqual([{ ban_reason: "spam", banned_by: null, actor: `api_key:${key["key_id"]}` }]);
    // An owner of the deployment is out of a machine's reach, and a key without the permission may nothing.
    expect(outcome(await ban(switched.cluster, String(key["secret"]), maker.id))).toEqual([403, "forbidden"]);
  });
});

test("the keys of an account removed for good: named in the audit trail, and revoked where that is wished", async () => {
  for (const [deployment, revoked] of [
    [plain, false],
    [switched, true],
  ] as const) {
    const { cluster, sql } = deployment;
    const { maker, key } = await mint(deployment);
    expect((await call(cluster, "HardDeleteUser", { userID: maker.id })).status).toBe(200);
    const { rows } = await sql.query(
      "SELECT details FROM profiles.audit_log WHERE action = 'user.hard_deleted' AND target = $1",
      [`user:${maker.id}`],
    );
    expect(rows).toEqual([{ details: { apiKeys: [key["key_id"]], revoked } }]);
    const someone = await person(cluster);
    const used = await ban(cluster, String(key["secret"]), someone.id);
    // Machines may not ban on the plain deployment, but the key still is one.
    expect(used.code).toBe(revoked ? "token_revoked" : "unauthorized");
  }
});

test("CreateUser checks what it is given unless told not to", async () => {
  const email = newPerson().email;
  const create = ({ cluster }: Deployment, args: object) => call(cluster, "CreateUser", args);
  const checked = [
    [{ email: "nonsense", username: "" }, "invalid_email"],
    [{ email: "", username: "ab" }, "username_too_short"],
  ] as const;
  for (const [args, code] of checked) expect((await create(plain, args)).code).toBe(code);

  const odd = await create(switched, { email: "Non Sense", username: " 1 x" });
  expect(odd.body["result"]).toMatchObject({ Email: "non sense", Username: " 1 x" });
  expect((await create(switched, { email: "NON SENSE", username: "" })).code).toBe("email_in_use");
  expect((await create(switched, { email, username: " 1 X" })).code).toBe("owner_slug_taken");
  for (const _ of [1, 2]) {
    const nameless = await create(switched, { email: "", username: "" });
    expect(nameless.body["result"]).toMatchObject({ Email: null, Username: null });
  }
});

test("a back end stores more than the account itself may, and not without end", async () => {
  const { cluster } = plain;
  const someone = await person(cluster);
  const patch = (size: number) =>
    call(cluster, "PatchUserMetadata", { userID: someone.id, patch: { text: "x".repeat(size) } });
  expect((await patch(70_000)).code).toBe("invalid_request");
  expect((await patch(60_000)).status).toBe(200);
  const own = await api(cluster, "/user/metadata", {
    method: "PATCH",
    body: { plan: "free" },
    bearer: someone.accessToken,
  });
  expect(own.code).toBe("invalid_request");
  const write = (bio: string) => call(cluster, "UpdateBiography", { id: someone.id, bio });
  expect((await write("\u{1f600}".repeat(2001))).code).toBe("invalid_request");
  const longest = ` ${"\u{1f600}".repeat(1999)}`;
  expect((await write(longest)).status).toBe(200);
  const read = await call(cluster, "AdminGetUser", { id: someone.id });
  expect(Object(read.body["result"]).biography).toBe(longest);
});

test("names of members in another case are taken, but not where statuses are strict", async () => {
  for (const [{ cluster }, code] of [
    [plain, "invalid_credentials"],
    [switched, "invalid_request"],
  ] as const) {
    const body = { Login: newPerson().email, PASSWORD: "no password at all" };
    expect((await api(cluster, "/password/login", { body })).code).toBe(code);
  }
});

test("an optional body that is announced has to be one", async () => {
  const { cluster } = plain;
  const someone = await person(cluster);
  const remove = async (framing: string, rest = "") => {
    const head = `DELETE ${new URL(cluster.api).pathname}/user/providers/acme HTTP/1.1\r\nHost: localhost\r\n`;
    const bearer = `Authorization: Bearer ${someone.accessToken}\r\nConnection: close\r\n`;
    return (await sendRaw(cluster.url, `${head}${bearer}${framing}\r\n${rest}`)).status;
  };
  expect(await remove("Transfer-Encoding: chunked\r\n", "0\r\n\r\n")).toBe(400);
  expect(await remove("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")).toBe(200);
  expect(await remove("Content-Length: 0\r\n")).toBe(200);
  expect(await remove("")).toBe(200);
});

test("the first second factor ends the sessions that have not shown it, where that is wished", async () => {
  for (const [{ cluster }, status] of [
    [plain, 200],
    [switched, 401],
  ] as const) {
    const someone = await person(cluster);
    const login = await api(cluster, "/password/login", {
      body: { login: someone.email, password: someone.password },
    });
    const elsewhere = String(login.body["access_token"]);
    expect((await api(cluster, "/me", { bearer: elsewhere })).status).toBe(200);
    const enrolled = await api(cluster, "/user/2fa", {
      body: { method: "email" },
      bearer: someone.accessToken,
    });
    expect(enrolled.body).toMatchObject({ enabled: true });
    expect((await api(cluster, "/me", { bearer: elsewhere })).status).toBe(status);
    expect((await api(cluster, "/me", { bearer: someone.accessToken })).status).toBe(200);
  }
});

test("publishIssuer makes an issuer known to a server like this one", async () => {
  const { cluster, admin } = plain;
  const accept = `${cluster.api}/root/any/remote-applications`;
  const statement = {
    slug: "elsewhere",
    issuer: "https://elsewhere.example",
    jwksUri: "https://elsewhere.example/jwks",
  };
  await publishIssuer(accept, statement, { bearer: admin.accessToken });
  const list = await api(cluster, "/root/any/remote-applications", { bearer: admin.accessToken });
  expect(list.body["data"]).toEqual([
    expect.objectContaining({ slug: "elsewhere", issuer: statement.issuer, jwks_uri: statement.jwksUri }),
  ]);
  const refused = await publishIssuer(accept, statement).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(IssuerNotAccepted);
  expect(refused).toMatchObject({ status: 401, body: expect.stringContaining("missing_token") });
});
