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
  - name: org
    parent: root
    self_service_creation: true
    capabilities: { custom_roles: true }
    catalog: ["org:members:read", "org:members:manage", "org:roles:read", "org:roles:manage", "org:docs:read", "org:docs:write"]
    roles:
      - { name: member, permissions: ["org:members:read", "org:docs:read"] }
      - { name: lead, permissions: ["org:members:read", "org:members:manage", "org:roles:read", "org:roles:manage", "org:docs:read"] }
      - { name: guarded, permissions: ["org:docs:read"], requires_mfa: true }
  - name: club
    parent: root
    require_consent: true
    self_service_creation: true
    roles:
      - { name: member, permissions: ["club:members:read"] }
`;

type Account = Awaited<ReturnType<typeof registered>> & { readonly id: string };

async function account(): Promise<Account> {
  const made = await registered(cluster);
  const claims = JSON.parse(Buffer.from(made.accessToken.split(".")[1] ?? "", "base64url").toString());
  return { ...made, id: String(claims.sub) };
}

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "authkit-invites-"));
  const config = join(directory, "authkit.yaml");
  await writeFile(config, yaml);
  cluster = await startCluster({ env: { ...behindProxy, AUTHKIT_CONFIG: config } });
});
afterAll(() => cluster?.stop());

const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];
const as = (of: Account, method: string, path: string, body?: unknown): Promise<TestReply> =>
  api(cluster, path, { method, bearer: of.accessToken, ...(body === undefined ? {} : { body }) });

let groups = 0;
async function group(of: Account, persona = "org"): Promise<string> {
  groups++;
  const slug = `${persona}-${groups}`;
  const made = await as(of, "POST", `/${persona}`, { slug, display_name: " Acme " });
  if (made.status !== 201) throw new Error(made.text);
  return slug;
}

async function roleOf(who: Account, slug: string): Promise<string | undefined> {
  const reply = await as(who, "GET", "/me/groups");
  const list = reply.body["data"];
  const found = Array.isArray(list)
    ? list.find((entry: unknown) => JSON.stringify(entry).includes(`"${slug}"`))
    : undefined;
  return found === undefined ? undefined : String(Reflect.get(Object(found), "role"));
}

describe("groups", () => {
  test("made by their owner, shown, renamed; the old slug leads on and is nobody else's", async () => {
    const owner = await account();
    const slug = await group(owner);
    const again = await as(owner, "POST", "/org", { slug });
    expect([again.status, again.body["created"]]).toEqual([200, false]);
    const stranger = await account();
    expect(outcome(await as(stranger, "POST", "/org", { slug }))).toEqual([409, "group_slug_taken"]);
    expect(outcome(await as(stranger, "POST", "/org", { slug: "Bad Slug" }))).toEqual([
      400,
      "group_slug_invalid",
    ]);
    expect(outcome(await as(stranger, "POST", "/org", {}))).toEqual([400, "invalid_request"]);
    expect(outcome(await as(stranger, "GET", `/org/${slug}`))).toEqual([403, "forbidden"]);
    const shown = await as(owner, "GET", `/org/${slug}`);
    expect(shown.body).toMatchObject({ ok: true, instance_slug: slug, display_name: "Acme" });
    const renamed = await as(owner, "PATCH", `/org/${slug}`, { slug: `${slug}-new`, display_name: "New" });
    expect(renamed.body).toEqual({
      ok: true,
      persona: "org",
      instance_slug: `${slug}-new`,
      display_name: "New",
    });
    expect((await as(owner, "GET", `/org/${slug}`)).body["instance_slug"]).toBe(`${slug}-new`);
    expect(outcome(await as(stranger, "POST", "/org", { slug }))).toEqual([409, "group_slug_taken"]);
    expect(outcome(await as(owner, "PATCH", `/org/${slug}`, {}))).toEqual([400, "invalid_request"]);
    expect(outcome(await as(owner, "PATCH", `/org/${slug}`, { slug: "no way" }))).toEqual([
      400,
      "group_slug_invalid",
    ]);
    expect((await as(owner, "PATCH", `/org/${slug}-new`, { slug })).status).toBe(200);
  });

  test("deleted for good by an owner who signed in lately; the slugs stay taken unless released", async () => {
    const [owner, lead, stranger] = [await account(), await account(), await account()];
    const slug = await group(owner);
    await as(owner, "PUT", `/org/${slug}/members/${lead.id}/roles/lead`);
    expect((await as(owner, "PATCH", `/org/${slug}`, { slug: `${slug}-now` })).status).toBe(200);
    const [former, now] = [`/org/${slug}`, `/org/${slug}-now`];
    for (const [who, path, refusal] of [
      [stranger, now, [403, "forbidden"]],
      [lead, now, [403, "forbidden"]],
      [owner, former, [404, "not_found"]],
      [owner, "/root/any", [404, "not_found"]],
    ] as const)
      expect([path, ...outcome(await as(who, "DELETE", path))]).toEqual([path, ...refusal]);
    const link = await as(owner, "POST", `${now}/invites/links`, { role: "member" });
    expect(link.status).toBe(201);

    const deleted = await as(owner, "DELETE", now);
    expect([deleted.status, deleted.body]).toEqual([
      200,
      { ok: true, persona: "org", instance_slug: `${slug}-now` },
    ]);
    expect(outcome(await as(owner, "GET", now))).toEqual([403, "forbidden"]);
    expect((await as(lead, "GET", "/me/groups")).body["data"]).toEqual([]);
    const late = await as(stranger, "POST", "/invites/redeem", { code: link.body["code"] });
    expect(outcome(late)).toEqual([404, "not_found"]);
    for (const taken of [slug, `${slug}-now`])
      expect(outcome(await as(stranger, "POST", "/org", { slug: taken }))).toEqual([409, "group_slug_taken"]);

    const second = await group(owner);
    expect((await as(owner, "PATCH", `/org/${second}`, { slug: `${second}-now` })).status).toBe(200);
    const released = await as(owner, "DELETE", `/org/${second}-now`, { release_slug: true });
    expect(released.status, released.text).toBe(200);
    for (const free of [second, `${second}-now`])
      expect((await as(stranger, "POST", "/org", { slug: free })).status).toBe(201);
  });
});

describe("invite links", () => {
  test("give a role once, and never take one away", async () => {
    const owner = await account();
    const slug = await group(owner);
    const made = await as(owner, "POST", `/org/${slug}/invites/links`, { role: "Member" });
    expect(made.status, made.text).toBe(201);
    const code = String(made.body["code"]);
    expect(made.body["url"]).toContain(`/accept-invite?code=${code}`);
    // The owner would lose by it: he keeps what he has, and the link.
    const own = await as(owner, "POST", "/invites/redeem", { code });
    expect(own.body).toEqual({ ok: true, persona: "org", instance_slug: slug, role: "member" });
    expect(await roleOf(owner, slug)).toBe("owner");
    const guests = await Promise.all(Array.from({ length: 50 }, () => account()));
    const replies = await Promise.all(guests.map((guest) => as(guest, "POST", "/invites/redeem", { code })));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const reply of replies.filter(({ status }) => status !== 200))
      expect(outcome(reply)).toEqual([404, "not_found"]);
    const list = await as(owner, "GET", `/org/${slug}/invites/links`);
    expect(list.body["data"]).toMatchObject([{ role: "member", uses: 1, invited_by: owner.id }]);
    expect(list.text).not.toContain(code);
  });

  test("revoked, expired, unknown and unauthorised", async () => {
    const owner = await account();
    const slug = await group(owner);
    const guest = await account();
    const made = await as(owner, "POST", `/org/${slug}/invites/links`, { role: "member" });
    const id = String(made.body["id"]);
    expect((await as(owner, "DELETE", `/org/${slug}/invites/links/${id}`)).body).toEqual({ ok: true, id });
    expect(outcome(await as(owner, "DELETE", `/org/${slug}/invites/links/${id}`))).toEqual([
      404,
      "not_found",
    ]);
    const redeem = async (code: unknown) => outcome(await as(guest, "POST", "/invites/redeem", { code }));
    expect(await redeem(made.body["code"])).toEqual([400, "invalid_request"]);
    expect(await redeem("no such code")).toEqual([404, "not_found"]);
    expect(await redeem(" ")).toEqual([400, "invalid_request"]);
    expect(outcome(await as(guest, "POST", `/org/${slug}/invites/links`, { role: "member" }))).toEqual([
      403,
      "forbidden",
    ]);
    expect(outcome(await as(owner, "POST", `/org/${slug}/invites/links`, { role: "no-such" }))).toEqual([
      400,
      "invalid_request",
    ]);
    expect(outcome(await as(owner, "POST", `/org/${slug}/invites/links`, {}))).toEqual([
      400,
      "invalid_request",
    ]);
    const short = await as(owner, "POST", `/org/${slug}/invites/links`, {
      role: "member",
      expires_in_seconds: 1,
    });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await redeem(short.body["code"])).toEqual([400, "invalid_request"]);
  });

  test("a role that demands a second factor waits for one, the link stays good", async () => {
    const owner = await account();
    const slug = await group(owner);
    const guest = await account();
    const made = await as(owner, "POST", `/org/${slug}/invites/links`, { role: "guarded" });
    const code = made.body["code"];
    const refused = await as(guest, "POST", "/invites/redeem", { code });
    expect(outcome(refused)).toEqual([403, "2fa_enrollment_required"]);
    await as(guest, "POST", "/user/2fa", { method: "email" });
    expect((await as(guest, "POST", "/invites/redeem", { code })).status).toBe(200);
    // Switching the factor off takes the role with it.
    const off = await as(guest, "DELETE", "/user/2fa");
    expect(off.status === 200 || off.code === "step_up_required").toBe(true);
  });

  test("the management methods", async () => {
    const owner = await account();
    const slug = await group(owner);
    const guest = await account();
    const req = { Persona: "org", InstanceSlug: slug, Role: "member", ExpiresIn: 0, InvitedBy: owner.id };
    const made = await call(cluster, "CreateGroupInviteLink", { req });
    expect(made.status, made.text).toBe(200);
    const link = Object(made.body["result"]);
    const refused = async (more: object) =>
      (await call(cluster, "CreateGroupInviteLink", { req: { ...req, ...more } })).code;
    expect(await refused({ InvitedBy: "" })).toBe("invalid_invite");
    expect(await refused({ Role: "no-such" })).toBe("role_not_assignable");
    expect(await refused({ InstanceSlug: "nowhere" })).toBe("permission_group_not_found");
    expect(await refused({ InvitedBy: guest.id })).toBe("insufficient_role_authority");
    const listed = await call(cluster, "ListGroupInviteLinks", { persona: "org", instanceSlug: slug });
    expect(listed.body["result"]).toMatchObject([{ ID: link.ID, Uses: 0, Role: "member" }]);
    const redeemed = await call(cluster, "RedeemGroupInviteLink", {
      code: link.Code,
      redeemerUserID: guest.id,
    });
    expect(redeemed.body["result"]).toEqual({ Persona: "org", InstanceSlug: slug, Role: "member" });
    expect(
      (await call(cluster, "RedeemGroupInviteLink", { code: "nothing", redeemerUserID: guest.id })).code,
    ).toBe("group_invite_link_not_found");
    expect((await call(cluster, "RedeemGroupInviteLink", { code: "", redeemerUserID: "" })).code).toBe(
      "invalid_invite",
    );
    const address = { persona: "org", instanceSlug: slug };
    expect((await call(cluster, "RevokeGroupInviteLink", { ...address, linkID: link.ID })).status).toBe(200);
    expect((await call(cluster, "RevokeGroupInviteLink", { ...address, linkID: link.ID })).code).toBe(
      "group_invite_link_not_found",
    );
    expect(
      (await call(cluster, "RedeemGroupInviteLink", { code: link.Code, redeemerUserID: owner.id })).code,
    ).toBe("group_invite_link_revoked");
  });
});

describe("membership invites and additions", () => {
  test("at once, by consent, or by a link for a stranger", async () => {
    const owner = await account();
    const slug = await group(owner);
    const guest = await account();
    const added = await as(owner, "POST", `/org/${slug}/members`, { email: guest.email, role: "member" });
    expect(added.body).toMatchObject({ ok: true, user_id: guest.id, role: "member" });
    expect(await roleOf(guest, slug)).toBe("member");
    const stranger = newPerson();
    const invited = await as(owner, "POST", `/org/${slug}/members`, {
      email: stranger.email,
      role: "member",
    });
    expect([invited.status, invited.body["invited"]]).toEqual([202, true]);
    expect(invited.body["group_invite"]).toHaveProperty("code");
    for (const body of [{}, { user_id: guest.id }, { user_id: guest.id, email: guest.email, role: "member" }])
      expect(outcome(await as(owner, "POST", `/org/${slug}/members`, body))).toEqual([
        400,
        "invalid_request",
      ]);
    expect(
      outcome(await as(owner, "POST", `/org/${slug}/members`, { email: "a@b@c", role: "member" })),
    ).toEqual([400, "invalid_email"]);
    expect(
      outcome(await as(guest, "POST", `/org/${slug}/members`, { user_id: owner.id, role: "member" })),
    ).toEqual([403, "forbidden"]);
  });

  test("accepted or declined by whom they are for, once", async () => {
    const owner = await account();
    const slug = await group(owner, "club");
    const [guest, other] = [await account(), await account()];
    const invited = await as(owner, "POST", `/club/${slug}/members`, { user_id: guest.id, role: "member" });
    expect(invited.status, invited.text).toBe(202);
    const id = String(invited.body["invite_id"]);
    expect(await roleOf(guest, slug)).toBeUndefined();
    const pending = await as(guest, "GET", "/me/group-invites");
    expect(pending.body["data"]).toMatchObject([
      { id, persona: "club", instance_slug: slug, role: "member", invited_by: owner.id },
    ]);
    expect(outcome(await as(other, "POST", `/me/group-invites/${id}/accept`))).toEqual([404, "not_found"]);
    expect(outcome(await as(guest, "POST", "/me/group-invites/none/accept"))).toEqual([404, "not_found"]);
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => as(guest, "POST", `/me/group-invites/${id}/accept`)),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await roleOf(guest, slug)).toBe("member");
    const second = await as(owner, "POST", `/club/${slug}/members`, { user_id: other.id, role: "member" });
    const declined = await as(other, "POST", `/me/group-invites/${second.body["invite_id"]}/decline`);
    expect(declined.body).toEqual({ ok: true, invite_id: second.body["invite_id"], accepted: false });
    expect((await as(other, "GET", "/me/group-invites")).body["data"]).toEqual([]);
  });
});

describe("custom roles", () => {
  test("are made of what one holds, count at once, and confer nothing once deleted", async () => {
    const owner = await account();
    const slug = await group(owner);
    const [lead, member] = [await account(), await account()];
    await as(owner, "PUT", `/org/${slug}/members/${lead.id}/roles/lead`);
    const define = (of: Account, role: string, permissions: unknown) =>
      as(of, "POST", `/org/${slug}/roles`, { role, permissions });
    const made = await define(owner, "writer", ["org:docs:write", "org:docs:read"]);
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ role: "writer", permissions: ["org:docs:write", "org:docs:read"] });
    await as(owner, "PUT", `/org/${slug}/members/${member.id}/roles/writer`);
    const held = async () =>
      (await as(member, "GET", `/me/permissions?persona=org&instance=${slug}`)).body["permissions"];
    expect(await held()).toEqual(expect.arrayContaining(["org:docs:write"]));
    // The lead manages roles but may not write: neither make nor unmake what can.
    expect(outcome(await define(lead, "ghost-writer", ["org:docs:write"]))).toEqual([403, "forbidden"]);
    expect(outcome(await define(lead, "writer", []))).toEqual([403, "forbidden"]);
    expect((await define(lead, "helper", ["org:docs:read"])).status).toBe(201);
    for (const [role, permissions] of [
      ["member", []],
      ["Bad Name", []],
      ["x".repeat(65), []],
      ["x", ["org:unheard-of"]],
      ["x", ["root:users:ban"]],
      ["x", undefined],
    ] as const)
      expect(outcome(await define(owner, role, permissions))).toEqual([400, "invalid_request"]);
    expect((await define(owner, "x".repeat(64), [])).status).toBe(201);
    const roles = await as(lead, "GET", `/org/${slug}/roles`);
    expect(JSON.stringify(roles.body["data"])).toContain('"name":"writer","permissions"');
    expect(JSON.stringify(roles.body["data"])).toContain('"custom":true');
    expect(outcome(await as(member, "GET", `/org/${slug}/roles`))).toEqual([403, "forbidden"]);
    expect((await as(owner, "DELETE", `/org/${slug}/roles/writer`)).body).toMatchObject({ ok: true });
    expect(await held()).toEqual([]);
    expect((await as(owner, "DELETE", `/org/${slug}/roles/writer`)).status).toBe(200);
  });
});

describe("invitations to register", () => {
  test("are mailed, carry a role, can be revoked; only by those who may", async () => {
    const owner = await account();
    const slug = await group(owner);
    const root = await account();
    await call(cluster, "EnsureRootGroup");
    await call(cluster, "AssignRoleBySlug", { userID: root.id, slug: "owner" });
    const { email } = newPerson();
    const create = (more: object) =>
      call(cluster, "CreateAccountRegistrationInvite", {
        req: { Email: email, InvitedBy: root.id, ExpiresIn: 0, ...more },
      });
    const made = await create({});
    expect(made.status, made.text).toBe(200);
    expect(made.body["result"]).toMatchObject({ Email: email });
    const message = await messageTo(cluster, email);
    expect(message.url).toContain("account_invite_token=");
    expect((await create({ Email: "a@b@c" })).code).toBe("invalid_email");
    expect((await create({ InvitedBy: "" })).code).toBe("invalid_invite");
    expect((await create({ InvitedBy: owner.id })).code).toBe("insufficient_role_authority");
    const inviteID = Object(made.body["result"]).ID;
    const revoke = (actorUserID: string) =>
      call(cluster, "RevokeAccountRegistrationInvite", { inviteID, actorUserID });
    expect((await revoke(owner.id)).code).toBe("insufficient_role_authority");
    expect((await revoke("")).code).toBe("invalid_invite");
    expect((await revoke(root.id)).status).toBe(200);
    expect((await revoke(root.id)).code).toBe("account_registration_invite_not_found");
    expect(slug).toBeTruthy();
  });
});
