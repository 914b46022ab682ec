import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AuthError, type Client, createRemoteClient } from "../../src/client/index.ts";
import { covered } from "../../src/core/authentication/permission-cover.ts";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, behindProxy, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import type { TestReply } from "../support/http.ts";

let cluster: TestCluster;
let client: Client;

const yaml = (mode: string): string => `
limits: { enabled: false }
registration: { mode: ${mode} }
personas:
  - name: root
    capabilities: { api_keys: true, remote_applications: true }
    roles:
      - { name: admin, permissions: ["root:users:ban"] }
      - { name: member-manager, permissions: ["root:members:manage", "root:users:ban"] }
      - { name: role-manager, permissions: ["root:roles:manage", "root:users:ban"] }
      - { name: empty, permissions: [] }
      - { name: guarded, permissions: ["root:users:ban"], requires_mfa: true }
  - name: org
    parent: root
    catalog: ["org:repo:read", "org:repo:write", "org:members:manage", "org:roles:manage"]
    capabilities: { api_keys: true, remote_applications: true, custom_roles: true }
    roles:
      - { name: member, permissions: ["org:repo:read"] }
      - { name: people, permissions: ["org:members:manage", "org:roles:manage"] }
`;

async function configFile(mode = "open"): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "authkit-acceptance-")), "authkit.yaml");
  await writeFile(path, yaml(mode));
  return path;
}

beforeAll(async () => {
  cluster = await startCluster({
    env: { ...behindProxy, AUTHKIT_CONFIG: await configFile(), AUTHKIT_TOTP_SECRET_KEY: "22".repeat(32) },
  });
  client = createRemoteClient(cluster.url, cluster.managementToken);
});
afterAll(() => cluster?.stop());

type Person = Awaited<ReturnType<typeof registered>> & { readonly id: string };

async function person(role?: string): Promise<Person> {
  const account = await registered(cluster);
  const { id } = await client.getUserByEmail({ email: account.email });
  if (role !== undefined) await client.assignRoleBySlug({ userId: id, slug: role });
  return { ...account, id };
}

let groups = 0;
async function group(owner: Person): Promise<{ persona: string; instanceSlug: string }> {
  const address = { persona: "org", instanceSlug: `acme-${++groups}` };
  await client.createPermissionGroup({ req: { ...address, ownerSubjectId: owner.id } });
  return address;
}

const user = (subjectId: string) => ({ subjectId, subjectKind: "user" });

/** `ok`, or the code of the refusal. */
async function said(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (error instanceof AuthError) return error.code;
    throw error;
  }
}

const assign = (actor: Person, target: Person, slug: string): Promise<string> =>
  said(client.assignRoleBySlugAs({ actorUserId: actor.id, userId: target.id, slug }));
const remove = (actor: Person, target: Person, slug: string): Promise<string> =>
  said(client.removeRoleBySlugAs({ actorUserId: actor.id, userId: target.id, slug }));
const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];

describe("assignment authority", () => {
  test("1: an owner assigns every role", async () => {
    const owner = await person("owner");
    for (const slug of ["admin", "member-manager", "owner"])
      expect(await assign(owner, await person(), slug)).toBe("ok");
  });

  test("2: without the capability nothing is assigned or removed", async () => {
    const [owner, target] = [await person("owner"), await person("admin")];
    for (const role of ["admin", "role-manager"]) {
      const actor = await person(role);
      for (const slug of ["admin", "empty", "owner"])
        expect(await assign(actor, target, slug)).toBe("insufficient_role_authority");
      expect(await remove(actor, target, "admin")).toBe("insufficient_role_authority");
      expect(await remove(actor, owner, "owner")).toBe("insufficient_role_authority");
    }
  });

  test("3 and 4: a manager of members deals in what he covers, and not in owners", async () => {
    const [manager, owner, target] = [await person("member-manager"), await person("owner"), await person()];
    expect(await assign(manager, target, "admin")).toBe("ok");
    expect(await remove(manager, target, "admin")).toBe("ok");
    expect(await assign(manager, target, "owner")).toBe("role_assignment_escalation");
    expect(await remove(manager, owner, "owner")).toBe("role_assignment_escalation");
  });

  test("5: a wildcard covers what is below it, and no more", () => {
    expect(covered(["root:users:*"], "root:users:ban")).toBe(true);
    expect(covered(["root:users:*"], "root:content:moderate")).toBe(false);
    expect(covered(["root:users:*"], "root:*")).toBe(false);
  });

  test("6: a role without permissions is covered by anybody with the capability", async () => {
    expect(await assign(await person("member-manager"), await person(), "empty")).toBe("ok");
  });

  test("7: a second assignment replaces the first", async () => {
    const target = await person("member-manager");
    await client.assignRoleBySlug({ userId: target.id, slug: "admin" });
    const permissions = await client.listEffectivePermissions({
      ...user(target.id),
      persona: "root",
      instanceSlug: "",
    });
    expect(permissions).toEqual(["root:users:ban"]);
  });
});

describe("owners", () => {
  test("8: the last one stays, whichever way he goes", async () => {
    const owner = await person();
    const address = await group(owner);
    expect(await said(client.leaveGroup({ userId: owner.id, ...address }))).toBe(
      "cannot_remove_last_admin_role",
    );
    const self = { actorUserId: owner.id, ...address, ...user(owner.id) };
    expect(await said(client.removeGroupSubjectAs(self))).toBe("cannot_remove_last_admin_role");
    expect(await said(client.unassignGroupRoleAs({ ...self, role: "owner" }))).not.toBe("ok");
    expect(await said(client.assignGroupRoleAs({ ...self, role: "member" }))).not.toBe("ok");
    expect(await client.can({ ...user(owner.id), ...address, perm: "org:repo:write" })).toBe(true);
    const reply = await api(cluster, `/me/groups/org/${address.instanceSlug}`, {
      method: "DELETE",
      bearer: owner.accessToken,
    });
    expect(outcome(reply)).toEqual([409, "cannot_remove_last_owner"]);
  });

  test("8: of two who leave at once one stays, twenty times over", async () => {
    const [first, second] = [await person(), await person()];
    for (let round = 0; round < 20; round++) {
      const address = await group(first);
      await client.assignGroupRole({ ...address, ...user(second.id), role: "owner" });
      const results = await Promise.all(
        [first, second].map(({ id }) => said(client.leaveGroup({ userId: id, ...address }))),
      );
      expect(results.sort()).toEqual(["cannot_remove_last_admin_role", "ok"]);
    }
  });

  test("9: leaving twice is leaving once", async () => {
    const [owner, guest] = [await person(), await person()];
    const address = await group(owner);
    await client.assignGroupRole({ ...address, ...user(guest.id), role: "member" });
    for (let turn = 0; turn < 2; turn++)
      expect(await said(client.leaveGroup({ userId: guest.id, ...address }))).toBe("ok");
    expect(await client.listGroupMembers(address)).toHaveLength(1);
  });
});

describe("links", () => {
  test("10: for whoever redeems it first", async () => {
    const [owner, first, second] = [await person(), await person(), await person()];
    const address = await group(owner);
    const { code } = await client.createGroupInviteLink({
      req: { ...address, role: "member", expiresIn: 0, invitedBy: owner.id },
    });
    const redeem = (who: Person): Promise<string> =>
      said(client.redeemGroupInviteLink({ code, redeemerUserId: who.id }));
    expect([await redeem(first), await redeem(first), await redeem(second)]).toEqual([
      "ok",
      "ok",
      "group_invite_link_not_found",
    ]);
  });

  test("11: not while registration is closed", async () => {
    const closed = await startCluster({ env: { AUTHKIT_CONFIG: await configFile("closed") } });
    try {
      const own = createRemoteClient(closed.url, closed.managementToken);
      const { results } = await own.importUsers({ inputs: [{ username: "the_owner" }] });
      const ownerId = results[0]?.userId ?? "";
      const address = { persona: "org", instanceSlug: "acme" };
      await own.createPermissionGroup({ req: { ...address, ownerSubjectId: ownerId } });
      const req = { ...address, role: "member", expiresIn: 0, invitedBy: ownerId };
      expect(await said(own.createGroupInviteLink({ req }))).toBe("external_invites_disabled");
      expect(await own.externalInvitesEnabled()).toBe(false);
    } finally {
      await closed.stop();
    }
  });

  test("12: not above the authority of whoever makes it", async () => {
    const [owner, people] = [await person(), await person()];
    const address = await group(owner);
    await client.assignGroupRole({ ...address, ...user(people.id), role: "people" });
    const req = { ...address, role: "owner", expiresIn: 0, invitedBy: people.id };
    expect(await said(client.createGroupInviteLink({ req }))).toBe("role_assignment_escalation");
  });

  test("22: for thirty days at most", async () => {
    const owner = await person();
    const address = await group(owner);
    const ninety = 90 * 86_400 * 1e9;
    await client.createGroupInviteLink({
      req: { ...address, role: "member", expiresIn: ninety, invitedBy: owner.id },
    });
    const [link] = (await client.listGroupInviteLinks(address)) ?? [];
    const days = ((link?.expiresAt?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29);
    expect(days).toBeLessThanOrEqual(30.01);
  });
});

test("14: a role that demands a second factor goes with it, other roles stay", async () => {
  const holder = await person();
  const bearer = holder.accessToken;
  expect(await said(client.assignRoleBySlug({ userId: holder.id, slug: "guarded" }))).toBe(
    "2fa_enrollment_required",
  );
  const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer });
  const code = totpCode(String(started.body["secret"]), Math.floor(Date.now() / 1000 / totpPeriod) - 1);
  expect((await api(cluster, "/user/2fa", { body: { method: "totp", code }, bearer })).status).toBe(200);
  const address = await group(await person());
  await client.assignGroupRole({ ...address, ...user(holder.id), role: "member" });
  expect(await said(client.assignRoleBySlug({ userId: holder.id, slug: "guarded" }))).toBe("ok");
  // The session that enrolled it is fresh, and has shown it.
  const refreshed = await api(cluster, "/token", {
    body: { grant_type: "refresh_token", refresh_token: holder.refreshToken },
  });
  const off = await api(cluster, "/user/2fa", {
    method: "DELETE",
    bearer: String(refreshed.body["access_token"]),
  });
  expect(off.status, off.text).toBe(200);
  expect(await client.listRoleSlugsByUserErr({ userId: holder.id })).toBeNull();
  expect(await client.listGroupMembers(address)).toContainEqual({ ...user(holder.id), role: "member" });
});

describe("API keys", () => {
  test("16: not above the authority of whoever makes it, and nothing is written", async () => {
    const [owner, people] = [await person(), await person()];
    const address = await group(owner);
    await client.assignGroupRole({ ...address, ...user(people.id), role: "people" });
    const wish = { ...address, name: "ci", role: "owner", expiresAt: null };
    expect(await said(client.mintApiKey({ ...wish, createdBy: people.id }))).toBe(
      "insufficient_role_authority",
    );
    expect(await client.listApiKeys(address)).toBeNull();
    expect(await said(client.mintApiKey({ ...wish, createdBy: owner.id }))).toBe("ok");
  });

  test("17: a key has what its role has now", async () => {
    const owner = await person();
    const address = await group(owner);
    const path = `/org/${address.instanceSlug}/roles`;
    const define = (permissions: string[]): Promise<TestReply> =>
      api(cluster, path, { body: { role: "reader", permissions }, bearer: owner.accessToken });
    expect((await define(["org:repo:read"])).status).toBe(201);
    const { key, apiKey } = await client.mintApiKey({
      ...address,
      name: "ci",
      role: "reader",
      createdBy: owner.id,
      expiresAt: null,
    });
    const permissions = async (): Promise<readonly string[]> =>
      (await client.resolveApiKey({ keyId: apiKey.keyId, secret: key.slice(key.lastIndexOf("_") + 1) }))
        .permissions;
    expect(await permissions()).toEqual(["org:repo:read"]);
    await define(["org:repo:read", "org:repo:write"]);
    expect(await permissions()).toEqual(["org:repo:read", "org:repo:write"]);
  });
});

test("18 and 19: an application stays enabled unless it is switched off; no spelling of our own issuer is another's", async () => {
  const owner = await person();
  const address = await group(owner);
  const path = `/org/${address.instanceSlug}/remote-applications`;
  const store = (more: object): Promise<TestReply> =>
    api(cluster, path, {
      body: {
        slug: `app-${groups}`,
        issuer: `https://app-${groups}.example`,
        jwks_uri: "https://app.example/jwks",
        ...more,
      },
      bearer: owner.accessToken,
    });
  expect((await store({})).body["enabled"]).toBe(true);
  expect((await store({})).body["enabled"]).toBe(true);
  expect((await store({ enabled: false })).body["enabled"]).toBe(false);
  for (const issuer of [cluster.url, `${cluster.url}/`, cluster.url.toUpperCase()])
    expect(outcome(await store({ slug: "evil", issuer }))).toEqual([400, "invalid_request"]);
});

test("24: a custom role is not widened by somebody who lacks what it would get", async () => {
  const [owner, people] = [await person(), await person()];
  const address = await group(owner);
  await client.assignGroupRole({ ...address, ...user(people.id), role: "people" });
  const path = `/org/${address.instanceSlug}/roles`;
  const define = (who: Person, permissions: string[]): Promise<TestReply> =>
    api(cluster, path, { body: { role: "reader", permissions }, bearer: who.accessToken });
  expect((await define(owner, [])).status).toBe(201);
  expect(outcome(await define(people, ["org:repo:write"]))).toEqual([403, "forbidden"]);
  const roles = await api(cluster, path, { bearer: owner.accessToken });
  expect(JSON.stringify(roles.body["data"])).toContain('"name":"reader","permissions":[]');
});
