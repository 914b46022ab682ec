import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import { parseManifest } from "../../../src/core/bootstrap/index.ts";
import { systemContext } from "../../../workers/bootstrap.ts";
import { openTestServer, type TestServer } from "../../support/embedded.ts";

const context = systemContext("en", "request-1");
const reconcile = { dryRun: false, startupOnly: false, name: "" };
const once = { ...reconcile, startupOnly: true };

const manifest = parseManifest(`
users:
  - username: operator
    email: Ops@Example.com
    email_verified: true
    metadata: { team: core }
    password: { plaintext: "change-me-now" }
  - username: legacy-one
    phone_number: "+14155550100"
    password: { reset_required: true }
`);

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    return isAuthError(error) ? error.code : String(error);
  }
}

describe("the manifest in a file", () => {
  test.each([
    ["", "empty"],
    ["- a", "mapping"],
    ["users: []", "lists nothing"],
    ["users: [{usernme: x}]", "users[0].usernme"],
    ["users: [{username: x, password: {plain: y}}]", "users[0].password.plain"],
    ["users: [{username: [1]}]", "expected"],
    ["users: [", "manifest"],
  ])("%s is refused", (text, part) => {
    expect(() => parseManifest(text)).toThrow(
      expect.objectContaining({ code: "invalid_bootstrap_manifest", message: expect.stringContaining(part) }),
    );
  });

  test("JSON is read as well, and only the first document", () => {
    expect(parseManifest('{"users":[{"username":"one"}]}').users[0]?.username).toBe("one");
    expect(parseManifest("users: [{username: one}]\n---\nusers: [{username: two}]").users).toHaveLength(1);
  });
});

describe("applying", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await openTestServer();
  });
  afterEach(() => server?.close());

  test("twice is the same as once", async () => {
    const { bootstrap } = server.core;
    expect(await bootstrap.diff(manifest, context)).toEqual([
      "user operator: created",
      "user operator: password set",
      "user legacy-one: created",
      "user legacy-one: password set",
    ]);
    expect(await server.client().adminCountUsers({ opts: {} })).toBe(0);
    expect(await bootstrap.apply(manifest, reconcile, context)).toMatchObject({
      usersCreated: 2,
      usersUpdated: 0,
      passwordsSet: 2,
      passwordsKept: 0,
    });
    const before = await server.query("SELECT * FROM S.users ORDER BY id");
    expect(await bootstrap.diff(manifest, context)).toEqual([]);
    expect(await bootstrap.apply(manifest, reconcile, context)).toMatchObject({
      usersCreated: 0,
      usersUpdated: 2,
      passwordsSet: 0,
      passwordsKept: 2,
    });
    expect(await server.query("SELECT * FROM S.users ORDER BY id")).toEqual(before);
    const user = await server.client().getUserByEmail({ email: "ops@example.com" });
    expect(user).toMatchObject({ username: "operator", emailVerified: true });
    expect(await server.client().verifyUserPassword({ userId: user.id, pass: "change-me-now" })).toBe(true);
  });

  test("trusted applications belong to the root group, and a second time changes nothing", async () => {
    const { bootstrap, groups, remoteApplications } = server.core;
    const declared = parseManifest(`
remote_applications:
  - { slug: Shop, issuer: "https://shop.example.com", jwks_uri: "https://shop.example.com/jwks.json", enabled: true, root_role: owner }`);
    expect(await bootstrap.diff(declared, context)).toEqual([
      "application shop: stored",
      "application shop: role owner in root",
    ]);
    expect(await remoteApplications.list(false)).toEqual([]);
    expect(await bootstrap.apply(declared, reconcile, context)).toMatchObject({
      remoteApplications: 1,
      remoteApplicationRootRoles: 1,
    });
    const [stored] = await remoteApplications.list(true);
    expect(stored).toMatchObject({
      slug: "shop",
      mode: "jwks",
      permissionGroupId: await groups.ensureRoot(),
    });
    expect(await groups.members({ persona: "root", instanceSlug: "" })).toEqual([
      { subjectId: stored?.id, subjectKind: "remote_application", role: "owner" },
    ]);
    expect(await bootstrap.diff(declared, context)).toEqual([]);
    await bootstrap.apply(declared, reconcile, context);
    expect((await remoteApplications.list(true))[0]?.updatedAt).toEqual(stored?.updatedAt);
  });

  test.each([
    ["no web address", `jwks_uri: "ftp://x.example/jwks"`, "invalid_remote_application"],
    ["no trust source", "", "invalid_remote_application"],
  ])("an application with %s is refused as a whole", async (_name, source, code) => {
    const { bootstrap } = server.core;
    const text = `
users: [{ username: somebody }]
remote_applications:
  - { slug: shop, issuer: "https://shop.example.com", enabled: true${source === "" ? "" : `, ${source}`} }`;
    expect(await codeOf(bootstrap.apply(parseManifest(text), reconcile, context))).toBe(code);
    expect(await server.query("SELECT 1 FROM S.users")).toEqual([]);
  });

  test("what people changed since stays: passwords, proofs, bans", async () => {
    const { bootstrap } = server.core;
    const client = server.client();
    await bootstrap.apply(manifest, reconcile, context);
    const { id } = await client.getUserByUsername({ username: "legacy-one" });
    await client.adminSetPassword({ userId: id, new: "a password of their own" });
    await client.setEmailVerified({ id, v: true });
    await client.banUser({ userId: id, reason: "spam", bannedBy: "" });
    await bootstrap.apply(manifest, reconcile, context);
    expect(await client.adminGetUser({ id })).toMatchObject({ banReason: "spam", emailVerified: true });
    expect(await client.verifyUserPassword({ userId: id, pass: "a password of their own" })).toBe(true);
  });

  test("an enforced password ends sessions only when it differs", async () => {
    const { bootstrap } = server.core;
    const enforced = parseManifest(
      `users: [{username: operator, password: {plaintext: "the enforced one", enforce: true}}]`,
    );
    await bootstrap.apply(enforced, reconcile, context);
    expect(await bootstrap.apply(enforced, reconcile, context)).toMatchObject({ passwordsKept: 1 });
    const { id } = await server.client().getUserByUsername({ username: "operator" });
    await server.client().adminSetPassword({ userId: id, new: "something else" });
    expect(await bootstrap.apply(enforced, reconcile, context)).toMatchObject({ passwordsSet: 1 });
  });

  test("one transaction: a failure at the end leaves nothing, the marker included", async () => {
    const { bootstrap } = server.core;
    const broken = parseManifest(`
users:
  - { username: first-one }
  - { username: second-one, email: nonsense }`);
    expect(await codeOf(bootstrap.apply(broken, once, context))).toBe("invalid_email");
    expect(await server.query("SELECT 1 FROM S.users")).toEqual([]);
    expect(await server.query("SELECT 1 FROM S.bootstrap_applies")).toEqual([]);
    expect(await bootstrap.apply(manifest, once, context)).toMatchObject({ usersCreated: 2 });
  });

  test("of ten nodes that start together one applies; afterwards it is applied", async () => {
    const { bootstrap } = server.core;
    const results = await Promise.all(
      Array.from({ length: 10 }, () => bootstrap.apply(manifest, once, context)),
    );
    expect(results.filter(({ alreadyApplied }) => !alreadyApplied)).toHaveLength(1);
    expect(await server.client().adminCountUsers({ opts: {} })).toBe(2);
    expect(await codeOf(bootstrap.apply(manifest, { ...once, name: "other" }, context))).toBe(
      "bootstrap_database_not_empty",
    );
  });

  test("a dry run counts what is listed and checks all of it", async () => {
    const { bootstrap } = server.core;
    expect(await bootstrap.apply(manifest, { ...once, dryRun: true }, context)).toMatchObject({
      dryRun: true,
      usersCreated: 2,
      passwordsSet: 2,
    });
    const short = parseManifest(`users: [{username: a-name, password: {plaintext: short}}]`);
    expect(await codeOf(bootstrap.apply(short, { ...once, dryRun: true }, context))).toBe(
      "password_too_short",
    );
    const two = parseManifest(
      `users: [{username: a-name, password: {plaintext: long-enough, reset_required: true}}]`,
    );
    expect(await codeOf(bootstrap.apply(two, reconcile, context))).toBe("invalid_bootstrap_manifest");
  });

  test("roles: owners only where there is none, one role a group, unknown ones refused", async () => {
    const { bootstrap } = server.core;
    const roles = () =>
      server.query(
        "SELECT u.username::text, r.role FROM S.group_user_roles r JOIN S.users u ON u.id = r.user_id WHERE r.deleted_at IS NULL ORDER BY 1",
      );
    const first = parseManifest(
      "users: [{username: first-one, root_role: Owner}, {username: second-one, root_role: owner}]",
    );
    expect(await bootstrap.apply(first, reconcile, context)).toMatchObject({ rootRoleAssignments: 2 });
    const owners = [
      { username: "first-one", role: "owner" },
      { username: "second-one", role: "owner" },
    ];
    expect(await roles()).toEqual(owners);
    const third = parseManifest("users: [{username: third-one, root_role: owner}]");
    expect(await bootstrap.apply(third, reconcile, context)).toMatchObject({ rootRoleAssignments: 1 });
    expect(await roles()).toEqual(owners);
    expect(await bootstrap.diff(first, context)).toEqual([]);

    const unknown = parseManifest("users: [{username: third-one, root_role: emperor}]");
    expect(await codeOf(bootstrap.apply(unknown, reconcile, context))).toBe("role_not_assignable");
    const nowhere = parseManifest(
      "group_roles: [{username: first-one, persona: org, instance_slug: acme, role: admin}]",
    );
    expect(await codeOf(bootstrap.apply(nowhere, reconcile, context))).toBe("role_not_assignable");
    const nobody = parseManifest("group_roles: [{username: no-such-user, persona: root, role: owner}]");
    expect(await codeOf(bootstrap.apply(nobody, reconcile, context))).toBe("invalid_bootstrap_manifest");
  });
});

describe("with personas", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await openTestServer({
      personas: [
        {
          name: "org",
          parent: "root",
          roles: [
            { name: "member", permissions: [], requiresMfa: false },
            { name: "admin", permissions: [], requiresMfa: false },
            { name: "auditor", permissions: [], requiresMfa: true },
          ],
          capabilities: { apiKeys: false, remoteApplications: false, customRoles: false },
          catalog: [],
          requireConsent: false,
          selfServiceCreation: false,
        },
      ],
    });
  });
  afterEach(() => server?.close());

  test("roles of groups", async () => {
    const { bootstrap } = server.core;
    const role = (name: string) =>
      parseManifest(`
users: [{username: first-one}]
group_roles: [{username: First-One, persona: org, instance_slug: Acme, role: ${name}}]`);
    expect(await codeOf(bootstrap.apply(role("member"), reconcile, context))).toBe(
      "permission_group_not_found",
    );
    expect(await codeOf(bootstrap.apply(role("emperor"), reconcile, context))).toBe("role_not_assignable");
    await bootstrap.apply(parseManifest("users: [{username: first-one}]"), reconcile, context);
    await server.query(
      `INSERT INTO S.permission_groups (id, persona, parent_id, parent_persona, instance_slug)
       SELECT gen_random_uuid(), 'org', id, 'root', 'acme' FROM S.permission_groups WHERE persona = 'root'`,
    );
    expect(await bootstrap.apply(role("member"), reconcile, context)).toMatchObject({
      groupRoleAssignments: 1,
    });
    expect(await bootstrap.diff(role("admin"), context)).toEqual(["user First-One: role admin in org acme"]);
    await bootstrap.apply(role("admin"), reconcile, context);
    const held = "SELECT role FROM S.group_user_roles WHERE deleted_at IS NULL";
    expect(await server.query(held)).toEqual([{ role: "admin" }]);
    expect(await codeOf(bootstrap.apply(role("auditor"), reconcile, context))).toBe(
      "2fa_enrollment_required",
    );
    expect(await server.query(held)).toEqual([{ role: "admin" }]);
  });
});
