import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, messageTo, newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, type TestReply } from "../support/http.ts";

let cluster: TestCluster;

const yaml = `
limits: { enabled: false }
personas:
  - name: root
    roles:
      - { name: support, permissions: ["root:resources:read", "root:users:ban", "root:users:recover", "root:users:delete"] }
      - { name: reader, permissions: ["root:resources:read"] }
`;

type Account = Awaited<ReturnType<typeof registered>> & { readonly id: string };

async function account(): Promise<Account> {
  const made = await registered(cluster);
  const claims = JSON.parse(Buffer.from(made.accessToken.split(".")[1] ?? "", "base64url").toString());
  return { ...made, id: String(claims.sub) };
}

async function withRole(slug: string): Promise<Account> {
  const made = await account();
  const assigned = await call(cluster, "AssignRoleBySlug", { userID: made.id, slug });
  if (assigned.status !== 200) throw new Error(assigned.text);
  return made;
}

let owner: Account;
let support: Account;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "authkit-account-"));
  const config = join(directory, "authkit.yaml");
  await writeFile(config, yaml);
  cluster = await startCluster({
    env: { ...behindProxy, AUTHKIT_CONFIG: config, AUTHKIT_LANGUAGES: "en,de" },
  });
  await call(cluster, "EnsureRootGroup");
  owner = await withRole("owner");
  support = await withRole("support");
});
afterAll(() => cluster?.stop());

const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];
const patch = (path: string, body: unknown, bearer: string) =>
  api(cluster, path, { method: "PATCH", body, bearer });

/** A token of an hour ago, as far as freshness is concerned. */
async function stale(of: Account): Promise<string> {
  const minted = await call(cluster, "MintAccessToken", { userID: of.id, extra: {} });
  return /[\w-]+\.[\w-]+\.[\w-]+/.exec(minted.text)?.[0] ?? "";
}

describe("/me", () => {
  test("shows the account, its roles and how fresh its session is", async () => {
    const { accessToken: bearer, email, id, username } = await account();
    const reply = await api(cluster, "/me", { bearer });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      ...{ id, email, username, phone_number: null, has_password: true, roles: [], entitlements: null },
      ...{ step_up_required_for_sensitive_actions: false, mfa_enabled: false, mfa_satisfied: false },
      step_up_methods: ["password"],
      availability: [{ action: "update_username", allowed: true, cooldown_seconds: 259_200 }],
    });
    const left = Number(reply.body["time_until_step_up_required"]);
    expect(left).toBeGreaterThan(850);
    expect(left).toBeLessThanOrEqual(900);
    const old = await api(cluster, "/me", { bearer: await stale({ ...support }) });
    expect(old.body["step_up_required_for_sensitive_actions"]).toBe(true);
    expect(old.body["roles"]).toEqual(["support"]);
    expect(outcome(await api(cluster, "/me"))).toEqual([401, "missing_token"]);
    expect(outcome(await api(cluster, "/me", { bearer: "a.b.c" }))).toEqual([401, "invalid_token"]);
  });
});

describe("profile", () => {
  test("a new name, then none for three days; a change of case at any time; the old one stays known", async () => {
    const { accessToken: bearer, username } = await account();
    const name = newPerson().username;
    const renamed = await patch("/user/username", { username: name }, bearer);
    expect(renamed.status, renamed.text).toBe(200);
    expect(renamed.body["ok"]).toBe(true);
    const again = await patch("/user/username", { username: newPerson().username }, bearer);
    expect(outcome(again)).toEqual([429, "rename_rate_limited"]);
    expect(Number(again.headers.get("retry-after"))).toBeGreaterThan(250_000);
    expect((await patch("/user/username", { username: name.toUpperCase() }, bearer)).status).toBe(200);
    const me = await api(cluster, "/me", { bearer });
    expect(me.body).toMatchObject({ username: name.toUpperCase(), user_aliases: [username] });
  });

  test("names that are refused", async () => {
    const { accessToken: bearer } = await account();
    const taken = await account();
    const attempt = async (username: unknown) => outcome(await patch("/user/username", { username }, bearer));
    expect(await attempt(" ")).toEqual([400, "invalid_request"]);
    expect(await attempt("abc")).toEqual([400, "username_too_short"]);
    expect(await attempt("x".repeat(40))).toEqual([400, "username_too_long"]);
    expect(await attempt("9lives")).toEqual([400, "username_must_start_with_letter"]);
    expect(await attempt("with space")).toEqual([400, "username_invalid_characters"]);
    expect((await attempt(taken.username.toUpperCase()))[0]).toBe(400);
  });

  test("language, biography, metadata", async () => {
    const { accessToken: bearer } = await account();
    const language = await patch("/user/preferred-language", { language: "DE" }, bearer);
    expect(language.body).toEqual({ ok: true, preferred_language: "de" });
    expect(outcome(await patch("/user/preferred-language", { preferred_language: "xx" }, bearer))).toEqual([
      400,
      "invalid_preferred_language",
    ]);
    expect(outcome(await patch("/user/preferred-language", {}, bearer))).toEqual([400, "invalid_request"]);

    expect((await patch("/user/biography", { biography: ` ${"😀".repeat(2100)} ` }, bearer)).status).toBe(
      200,
    );
    const me = await api(cluster, "/me", { bearer });
    expect([...String(me.body["biography"])]).toHaveLength(2000);
    expect((await patch("/user/biography", { biography: null }, bearer)).status).toBe(200);
    expect((await api(cluster, "/me", { bearer })).body).not.toHaveProperty("biography");
    expect(outcome(await patch("/user/biography", {}, bearer))).toEqual([400, "invalid_request"]);

    const stored = await patch("/user/metadata", { theme: "dark", n: 1 }, bearer);
    expect(stored.body).toEqual({ ok: true, metadata: { theme: "dark", n: 1 } });
    const removed = await patch("/user/metadata", { n: null }, bearer);
    expect(removed.body["metadata"]).toEqual({ theme: "dark" });
    const read = await api(cluster, "/user/metadata", { bearer });
    expect(read.body).toEqual({ metadata: { theme: "dark" } });
    const refusal = async (body: unknown) => outcome(await patch("/user/metadata", body, bearer));
    expect(await refusal({ reserved: true })).toEqual([400, "metadata_key_reserved"]);
    expect(await refusal({})).toEqual([400, "invalid_request"]);
    expect(await refusal({ "with space": 1 })).toEqual([400, "invalid_request"]);
    expect(await refusal({ big: "x".repeat(20_000) })).toEqual([400, "invalid_request"]);
    expect(outcome(await api(cluster, "/user/metadata"))).toEqual([401, "missing_token"]);
  });
});

describe("deletion", () => {
  test("fresh or with the password; everything ends at once; an administrator brings it back", async () => {
    const gone = await account();
    const bearer = await stale(gone);
    const refused = await api(cluster, "/user", { method: "DELETE", body: {}, bearer });
    expect(outcome(refused)).toEqual([403, "step_up_required"]);
    const wrong = await api(cluster, "/user", {
      method: "DELETE",
      body: { password: "wrong-password" },
      bearer,
    });
    expect(outcome(wrong)).toEqual([401, "invalid_password"]);
    const deleted = await api(cluster, "/user", { method: "DELETE", bearer: gone.accessToken });
    expect(deleted.body).toEqual({ ok: true });
    expect((await api(cluster, "/me", { bearer: gone.accessToken })).status).toBe(401);
    const login = await api(cluster, "/password/login", {
      body: { email: gone.email, password: gone.password },
    });
    expect(login.status).toBe(401);
    const restored = await api(cluster, `/admin/users/${gone.id}/restore`, {
      method: "POST",
      bearer: support.accessToken,
    });
    expect(restored.body).toEqual({ ok: true, user_id: gone.id });
    const back = await api(cluster, "/password/login", {
      body: { email: gone.email, password: gone.password },
    });
    expect(back.status).toBe(200);
  });

  test("not of the last owner", async () => {
    const reply = await api(cluster, "/user", { method: "DELETE", bearer: owner.accessToken });
    expect(outcome(reply)).toEqual([409, "cannot_remove_last_owner"]);
  });

  test("unlinking: nothing linked is no error, a blank name is", async () => {
    const { accessToken: bearer } = await account();
    const none = await api(cluster, "/user/providers/google", { method: "DELETE", bearer });
    expect(none.body).toEqual({ ok: true });
    const blank = await api(cluster, "/user/providers/%20", { method: "DELETE", bearer });
    expect(outcome(blank)).toEqual([400, "invalid_provider"]);
  });
});

describe("administration", () => {
  const as = (bearer: string, method: string, path: string, body?: unknown) =>
    api(cluster, path, { method, bearer, ...(body === undefined ? {} : { body }) });

  test("lists, searches, shows; only for those who may", async () => {
    const someone = await account();
    const found = await as(support.accessToken, "GET", `/admin/users?search=${someone.username}&page_size=5`);
    expect(found.body).toMatchObject({ object: "list", total: 1, limit: 5, offset: 0, has_more: false });
    expect(JSON.stringify(found.body["data"])).toContain(someone.id);
    const roles = await as(support.accessToken, "GET", "/admin/users?root_role=Support&sort=email&order=asc");
    expect(roles.body["total"]).toBe(1);
    const empty = await as(support.accessToken, "GET", "/admin/users?search=nobody-at-all");
    expect(empty.body["data"]).toEqual([]);
    const one = await as(support.accessToken, "GET", `/admin/users/${someone.id}`);
    expect(one.body).toMatchObject({ id: someone.id, email: someone.email, roles: [], deleted_at: null });
    expect(outcome(await as(support.accessToken, "GET", "/admin/users/none"))).toEqual([404, "not_found"]);
    expect(outcome(await as(someone.accessToken, "GET", "/admin/users"))).toEqual([403, "forbidden"]);
    expect(outcome(await as(support.accessToken, "GET", "/admin/users?entitlement=x"))).toEqual([
      400,
      "entitlement_filter_unavailable",
    ]);
    const signIns = await as(support.accessToken, "GET", `/admin/users/${someone.id}/signins`);
    expect(JSON.stringify(signIns.body["data"])).toContain("session_created");
  });

  test("bans and unbans", async () => {
    const someone = await account();
    const ban = (body: unknown, bearer = support.accessToken) =>
      as(bearer, "POST", `/admin/users/${someone.id}/ban`, body);
    expect(outcome(await ban({}))).toEqual([400, "invalid_until"]);
    expect(outcome(await ban({ until: "yesterday" }))).toEqual([400, "invalid_until"]);
    expect(outcome(await ban({ until: "2001-01-01T00:00:00Z" }))).toEqual([400, "invalid_until"]);
    expect(outcome(await ban({ until: "infinite" }, someone.accessToken))).toEqual([403, "forbidden"]);
    const banned = await ban({ until: "Infinite", reason: " spam " });
    expect(banned.body).toEqual({ ok: true, user_id: someone.id });
    expect((await api(cluster, "/me", { bearer: someone.accessToken })).status).toBe(401);
    const shown = await as(support.accessToken, "GET", `/admin/users/${someone.id}`);
    expect(shown.body).toMatchObject({ ban_reason: "spam", banned_by: support.id });
    expect((await as(support.accessToken, "POST", `/admin/users/${someone.id}/unban`)).status).toBe(200);
    const login = await api(cluster, "/password/login", {
      body: { email: someone.email, password: someone.password },
    });
    expect(login.status).toBe(200);
  });

  test("of accounts nobody has: done without effect; what is no id is not found", async () => {
    const unknown = "019f0000-0000-7000-8000-0000000000aa";
    const named = { ok: true, user_id: unknown };
    for (const [method, suffix, body, answer] of [
      ["POST", "/ban", { until: "infinite" }, named],
      ["POST", "/unban", undefined, named],
      ["POST", "/restore", undefined, named],
      ["POST", "/sessions/revoke", undefined, { ok: true }],
      ["DELETE", "", undefined, { ok: true }],
    ] as const) {
      const done = await as(support.accessToken, method, `/admin/users/${unknown}${suffix}`, body);
      expect([suffix, done.status, done.body]).toEqual([suffix, 200, answer]);
      const none = await as(support.accessToken, method, `/admin/users/abc${suffix}`, body);
      expect([suffix, ...outcome(none)]).toEqual([suffix, 404, "not_found"]);
    }
    const recover = (email: string) =>
      as(support.accessToken, "POST", `/admin/users/${unknown}/recover`, { email });
    expect(outcome(await recover(newPerson().email))).toEqual([404, "not_found"]);
    expect(outcome(await recover(owner.email))).toEqual([400, "email_in_use"]);
  });

  test("pages are whole numbers, and the history of nobody is empty", async () => {
    const list = (query: string) => as(support.accessToken, "GET", `/admin/users?${query}`);
    for (const page of ["abc", "1e3", "0x2", "-4", "0", ""])
      expect([page, (await list(`page=${page}&page_size=2`)).body["offset"]]).toEqual([page, 0]);
    expect((await list("page=+2&page_size=2")).body["offset"]).toBe(0);
    expect((await list("page=2&page_size=2")).body).toMatchObject({ limit: 2, offset: 2 });
    for (const size of ["0", "201", "1e1", "x"])
      expect([size, (await list(`page_size=${size}`)).body["limit"]]).toEqual([size, 50]);
    for (const id of ["abc", "%00", "019f0000-0000-7000-8000-0000000000aa"]) {
      const history = await as(support.accessToken, "GET", `/admin/users/${id}/signins`);
      expect([history.status, history.body]).toEqual([200, { data: [] }]);
    }
    expect(outcome(await as(support.accessToken, "GET", "/admin/users/%20/signins"))).toEqual([
      400,
      "invalid_request",
    ]);
  });

  test("cannot be turned on owners, nor on oneself", async () => {
    for (const target of [owner.id, support.id]) {
      const ban = await as(support.accessToken, "POST", `/admin/users/${target}/ban`, { until: "infinite" });
      expect(outcome(ban)).toEqual([403, "forbidden"]);
      const deletion = await as(support.accessToken, "DELETE", `/admin/users/${target}`);
      expect(outcome(deletion)).toEqual([403, "forbidden"]);
    }
  });

  test("ends sessions, deletes", async () => {
    const someone = await account();
    const ended = await as(support.accessToken, "POST", `/admin/users/${someone.id}/sessions/revoke`);
    expect(ended.body).toEqual({ ok: true });
    expect((await api(cluster, "/me", { bearer: someone.accessToken })).status).toBe(401);
    expect((await as(support.accessToken, "DELETE", `/admin/users/${someone.id}`)).body).toEqual({
      ok: true,
    });
    const reader = await withRole("reader");
    const refused = await as(reader.accessToken, "DELETE", `/admin/users/${someone.id}`);
    expect(outcome(refused)).toEqual([403, "forbidden"]);
  });

  test("recovers an account for its owner: everything that signed in is gone, the new address gets a link", async () => {
    const victim = await account();
    const path = `/admin/users/${victim.id}/recover`;
    const recover = async (body: unknown) => outcome(await as(support.accessToken, "POST", path, body));
    expect(await recover({})).toEqual([400, "invalid_request"]);
    expect(await recover({ email: "a@b@c" })).toEqual([400, "invalid_email"]);
    expect(await recover({ phone_number: "123" })).toEqual([400, "invalid_phone_number"]);
    expect(await recover({ email: owner.email })).toEqual([400, "email_in_use"]);
    const { email } = newPerson();
    const done = await as(support.accessToken, "POST", path, { email });
    expect(done.body, done.text).toEqual({ ok: true, user_id: victim.id });
    expect((await api(cluster, "/me", { bearer: victim.accessToken })).status).toBe(401);
    for (const address of [victim.email, email]) {
      const login = await api(cluster, "/password/login", {
        body: { email: address, password: victim.password },
      });
      expect(login.status).toBe(401);
    }
    const { token } = await messageTo(cluster, email);
    const reset = await api(cluster, "/email/password/reset/confirm", {
      body: { token, new_password: "brand-new-password-1" },
    });
    expect(reset.status, reset.text).toBe(200);
    const login = await api(cluster, "/password/login", {
      body: { email, password: "brand-new-password-1" },
    });
    expect(login.status).toBe(200);
  });
});
