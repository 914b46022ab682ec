import { randomBytes } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, messageTo, newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, type TestReply } from "../support/http.ts";

const yaml = `
limits: { enabled: false }
personas:
  - name: org
    parent: root
    self_service_creation: true
    capabilities: { api_keys: true, remote_applications: true, custom_roles: true }
    roles:
      - { name: member, permissions: ["org:members:read", "org:docs:read"] }
      - { name: people, permissions: ["org:members:read", "org:members:manage", "org:docs:read"] }
      - { name: machines, permissions: ["org:credentials:read", "org:credentials:manage", "org:docs:read"] }
      - { name: reader, permissions: ["org:docs:read"] }
      - { name: guarded, permissions: ["org:docs:read"], requires_mfa: true }
  - name: club
    parent: root
    require_consent: true
    self_service_creation: true
    self_service_slugs: { pattern: "[a-z0-9-]{3,20}", reserved: [press], reserved_role: owner }
    roles:
      - { name: member, permissions: ["club:members:read"] }
`;

let cluster: TestCluster;
let config: string;

beforeAll(async () => {
  config = join(await mkdtemp(join(tmpdir(), "authkit-group-rules-")), "authkit.yaml");
  await writeFile(config, yaml);
  cluster = await startCluster({ env: { ...behindProxy, AUTHKIT_CONFIG: config } });
});
afterAll(() => cluster?.stop());

type Account = Awaited<ReturnType<typeof registered>> & { readonly id: string };

async function account(on: TestCluster = cluster): Promise<Account> {
  const made = await registered(on);
  const claims = JSON.parse(Buffer.from(made.accessToken.split(".")[1] ?? "", "base64url").toString());
  return { ...made, id: String(claims.sub) };
}

const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];
const as = (of: Account, method: string, path: string, body?: unknown, on = cluster): Promise<TestReply> =>
  api(on, path, { method, bearer: of.accessToken, ...(body === undefined ? {} : { body }) });

async function group(of: Account, persona = "org", on = cluster): Promise<string> {
  const slug = `g-${randomBytes(6).toString("hex")}`;
  const made = await as(of, "POST", `/${persona}`, { slug }, on);
  if (made.status !== 201) throw new Error(made.text);
  return slug;
}

async function roleOf(owner: Account, slug: string, who: Account, persona = "org"): Promise<unknown> {
  const { body } = await as(owner, "GET", `/${persona}/${slug}/members`);
  const members: unknown = body["data"];
  const found = Array.isArray(members) ? members.find((member) => member.subject_id === who.id) : undefined;
  return found?.role;
}

async function member(owner: Account, slug: string, role: string): Promise<Account> {
  const made = await account();
  const put = await as(owner, "PUT", `/org/${slug}/members/${made.id}/roles/${role}`);
  if (put.status !== 200) throw new Error(put.text);
  return made;
}

describe("routes of a group", () => {
  test("refuse whoever may not before they look at the body", async () => {
    const owner = await account();
    const slug = await group(owner);
    const outsider = await account();
    const key = await as(owner, "POST", `/org/${slug}/api-keys`, { name: "ci", role: "member" });
    for (const path of ["members", "roles", "api-keys", "remote-applications", "invites/links"]) {
      const send = (bearer: string, to = slug) =>
        api(cluster, `/org/${to}/${path}`, { method: "POST", bearer, body: { unheard: "of" } });
      expect(outcome(await send(outsider.accessToken)), path).toEqual([403, "forbidden"]);
      expect(outcome(await send(outsider.accessToken, "no-such-group")), path).toEqual([403, "forbidden"]);
      expect(outcome(await send(outsider.accessToken, "No_Slug")), path).toEqual([404, "not_found"]);
      expect(outcome(await send(outsider.accessToken, "%20")), path).toEqual([400, "invalid_request"]);
      expect(outcome(await send(String(key.body["secret"]))), path).toEqual([401, "not_authenticated"]);
      expect(outcome(await send(owner.accessToken)), path).toEqual([400, "invalid_request"]);
    }
  });

  test("say whose second factor is missing", async () => {
    const owner = await account();
    const slug = await group(owner);
    const guest = await account();
    const put = await as(owner, "PUT", `/org/${slug}/members/${guest.id}/roles/guarded`);
    expect(outcome(put)).toEqual([403, "2fa_enrollment_required"]);
    const metadata = (reply: TestReply): unknown => Object(reply.body["error"]).metadata;
    expect(metadata(put)).toMatchObject({ requires_2fa_enrollment: true, subject: "target" });
    const link = await as(owner, "POST", `/org/${slug}/invites/links`, { role: "guarded" });
    const redeemed = await as(guest, "POST", "/invites/redeem", { code: link.body["code"] });
    expect(outcome(redeemed)).toEqual([403, "2fa_enrollment_required"]);
    expect(metadata(redeemed)).toMatchObject({ requires_2fa_enrollment: true });
    expect(metadata(redeemed)).not.toHaveProperty("subject");
  });

  test("a rename goes by the slug of now; names have a bound", async () => {
    const owner = await account();
    const slug = await group(owner);
    expect((await as(owner, "PATCH", `/org/${slug}`, { slug: `${slug}-b` })).status).toBe(200);
    expect(outcome(await as(owner, "PATCH", `/org/${slug}`, { slug: `${slug}-c` }))).toEqual([
      404,
      "not_found",
    ]);
    expect((await as(owner, "GET", `/org/${slug}`)).body["instance_slug"]).toBe(`${slug}-b`);
    const long = { slug: `${slug}-long`, display_name: "ü".repeat(129) };
    expect(outcome(await as(owner, "POST", "/org", long))).toEqual([400, "invalid_request"]);
    expect((await as(owner, "POST", "/org", { ...long, display_name: "ü".repeat(128) })).status).toBe(201);
  });

  test("an id in capitals is the same last owner", async () => {
    const owner = await account();
    const slug = await group(owner);
    const address = { persona: "org", instanceSlug: slug };
    const left = await call(cluster, "LeaveGroup", { ...address, userID: owner.id.toUpperCase() });
    expect(left.code).toBe("cannot_remove_last_admin_role");
    expect(await roleOf(owner, slug, owner)).toBe("owner");
  });

  test("a role of the catalogue is not there to be deleted, which is a success", async () => {
    const owner = await account();
    const slug = await group(owner);
    expect((await as(owner, "DELETE", `/org/${slug}/roles/member`)).body).toEqual({
      ok: true,
      persona: "org",
      instance_slug: slug,
      role: "member",
    });
    expect(JSON.stringify((await as(owner, "GET", `/org/${slug}/roles`)).body["data"])).toContain('"member"');
  });
});

describe("machine credentials", () => {
  const issuer = () => `https://${randomBytes(6).toString("hex")}.example`;

  test("an application gets its role from whoever manages credentials", async () => {
    const owner = await account();
    const slug = await group(owner);
    const [machines, people] = [await member(owner, slug, "machines"), await member(owner, slug, "people")];
    const app = `crm.${slug}`;
    const stated = { slug: app, issuer: issuer(), jwks_uri: `${issuer()}/jwks` };
    const stored = await as(machines, "POST", `/org/${slug}/remote-applications`, stated);
    expect(stored.status, stored.text).toBe(201);
    const give = (of: Account, role: string, on = slug) =>
      as(of, "PUT", `/org/${on}/remote-applications/${app}/roles/${role}`);
    expect((await give(machines, "reader")).body).toEqual({
      ok: true,
      persona: "org",
      instance_slug: slug,
      app,
      role: "reader",
    });
    expect(outcome(await give(people, "reader"))).toEqual([403, "forbidden"]);
    expect(outcome(await give(machines, "people"))).toEqual([403, "forbidden"]);
    expect(outcome(await give(machines, "unheard-of"))).toEqual([400, "invalid_request"]);
    expect(outcome(await give(owner, "reader", await group(owner)))).toEqual([404, "not_found"]);
  });

  test("a key's role has to be one there is", async () => {
    const owner = await account();
    const slug = await group(owner);
    const mint = (createdBy: string, role: string, persona = "org") =>
      call(cluster, "MintAPIKey", { persona, instanceSlug: slug, name: "ci", role, createdBy });
    expect((await mint(owner.id, "undefined-role")).code).toBe("role_not_assignable");
    const people = await member(owner, slug, "people");
    expect((await mint(people.id, "undefined-role")).code).toBe("insufficient_role_authority");
    const club = await group(owner, "club");
    const args = { persona: "club", instanceSlug: club, name: "ci", role: "x", createdBy: owner.id };
    expect((await call(cluster, "MintAPIKey", args)).code).toBe("unknown_role");
    const long = { persona: "org", instanceSlug: slug, name: "🔑".repeat(128), role: "member" };
    expect((await call(cluster, "MintAPIKey", { ...long, createdBy: owner.id })).status).toBe(200);
  });
});

test("whoever is banned or deleted may nothing anywhere, and has it back afterwards", async () => {
  const owner = await account();
  const slug = await group(owner);
  const people = await member(owner, slug, "people");
  const guest = await account();
  const address = { persona: "org", instanceSlug: slug };
  const subject = { subjectID: people.id, subjectKind: "user", ...address };
  const can = async () => (await call(cluster, "Can", { ...subject, perm: "org:docs:read" })).body["result"];
  const grants = async () => (await call(cluster, "ListEffectivePermissions", subject)).body["result"];
  const assign = () =>
    call(cluster, "AssignGroupRoleAs", {
      ...{ actorUserID: people.id, ...address, role: "reader" },
      ...{ subjectID: guest.id, subjectKind: "user" },
    });
  expect(await can()).toBe(true);
  await call(cluster, "BanUser", { userID: people.id, reason: null, until: null, bannedBy: "" });
  expect(await can()).toBe(false);
  expect(await grants()).toEqual([]);
  expect((await assign()).code).toBe("insufficient_role_authority");
  await call(cluster, "UnbanUser", { userID: people.id });
  expect(await can()).toBe(true);
  expect((await assign()).status).toBe(200);
  expect((await call(cluster, "SoftDeleteUser", { id: people.id })).status).toBe(200);
  expect(await can()).toBe(false);
});

describe("invitations", () => {
  test("a link dies with its maker's authority, not what it has given", async () => {
    const owner = await account();
    const slug = await group(owner);
    const people = await member(owner, slug, "people");
    const link = async () =>
      String((await as(people, "POST", `/org/${slug}/invites/links`, { role: "reader" })).body["code"]);
    const [used, unused] = [await link(), await link()];
    const [guest, other] = [await account(), await account()];
    expect((await as(guest, "POST", "/invites/redeem", { code: used })).status).toBe(200);
    expect((await as(owner, "DELETE", `/org/${slug}/members/${people.id}`)).status).toBe(200);
    expect((await as(guest, "POST", "/invites/redeem", { code: used })).status).toBe(200);
    expect(outcome(await as(other, "POST", "/invites/redeem", { code: used }))).toEqual([404, "not_found"]);
    const redeemed = await call(cluster, "RedeemGroupInviteLink", { code: unused, redeemerUserID: other.id });
    expect(redeemed.code).toBe("group_invite_link_revoked");
    expect(await roleOf(owner, slug, other)).toBeUndefined();
  });

  test("a group sees the offers it has made, and takes them back", async () => {
    const owner = await account();
    const [slug, elsewhere] = [await group(owner, "club"), await group(owner, "club")];
    const guest = await account();
    const offer = await as(owner, "POST", `/club/${slug}/members`, { user_id: guest.id, role: "member" });
    const id = String(offer.body["invite_id"]);
    const list = async (of: Account) => as(of, "GET", `/club/${slug}/invites/memberships`);
    expect((await list(owner)).body).toEqual({
      object: "list",
      persona: "club",
      instance_slug: slug,
      data: [
        {
          ...{ id, user_id: guest.id, role: "member", invited_by: owner.id },
          ...{ created_at: expect.any(String), expires_at: expect.any(String) },
        },
      ],
    });
    expect(outcome(await list(guest))).toEqual([403, "forbidden"]);
    const revoke = (of: Account, on = slug, which = id) =>
      as(of, "DELETE", `/club/${on}/invites/memberships/${which}`);
    expect(outcome(await revoke(guest))).toEqual([403, "forbidden"]);
    expect(outcome(await revoke(owner, elsewhere))).toEqual([404, "not_found"]);
    expect(outcome(await revoke(owner, slug, "none"))).toEqual([404, "not_found"]);
    expect((await revoke(owner)).body).toEqual({ ok: true, id });
    expect(outcome(await revoke(owner))).toEqual([404, "not_found"]);
    expect(outcome(await as(guest, "POST", `/me/group-invites/${id}/accept`))).toEqual([404, "not_found"]);
    expect((await list(owner)).body["data"]).toEqual([]);
  });

  test.each(["0.73", "0.97"])(
    "a manager who may not learn who has an account gets the same answer for everybody (%s)",
    async (contract) => {
      const hiding = await startCluster({
        env: {
          ...behindProxy,
          ...{
            AUTHKIT_CONFIG: config,
            AUTHKIT_CONTRACT: contract,
            AUTHKIT_HIDE_ACCOUNTS_FROM_MANAGERS: "true",
          },
        },
      });
      try {
        const [owner, friend] = [await account(hiding), await account(hiding)];
        const slug = await group(owner, "org", hiding);
        const add = (email: string) =>
          as(owner, "POST", `/org/${slug}/members`, { email, role: "reader" }, hiding);
        const stranger = newPerson().email;
        const [known, unknown] = [await add(friend.email), await add(stranger)];
        const shape = (reply: TestReply, email: string): string =>
          JSON.stringify([reply.status, reply.body])
            .replaceAll(email, "EMAIL")
            .replaceAll(/[\w-]{43}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "SECRET");
        expect(known.status, known.text).toBe(202);
        expect(shape(known, friend.email)).toBe(shape(unknown, stranger));
        expect(known.text).not.toContain(friend.id);
        expect(
          (await as(owner, "GET", `/org/${slug}/invites/memberships`, undefined, hiding)).body["data"],
        ).toEqual([]);
        if (contract === "0.97")
          expect((await messageTo(hiding, stranger)).url).toContain("account_invite_token");
        // The link does for somebody who has an account what the addition would have done.
        const { code } = Object(known.body["group_invite"]);
        const joined = await as(friend, "POST", "/invites/redeem", { code }, hiding);
        expect(joined.body).toEqual({ ok: true, persona: "org", instance_slug: slug, role: "reader" });
        // Whoever names an account by its id knows that there is one.
        const third = await account(hiding);
        const byId = { user_id: third.id, role: "reader" };
        expect((await as(owner, "POST", `/org/${slug}/members`, byId, hiding)).status).toBe(200);
      } finally {
        await hiding.stop();
      }
    },
  );

  test("the later generation mails a stranger an invitation to register with the role", async () => {
    const later = await startCluster({
      env: { ...behindProxy, AUTHKIT_CONFIG: config, AUTHKIT_CONTRACT: "0.97" },
    });
    try {
      const owner = await account(later);
      const slug = await group(owner, "org", later);
      const person = newPerson();
      const body = { email: person.email, role: "reader" };
      const invited = await as(owner, "POST", `/org/${slug}/members`, body, later);
      expect(invited.status, invited.text).toBe(202);
      const [link, invite] = [Object(invited.body["group_invite"]), Object(invited.body["invite"])];
      expect(invite.code).not.toBe(link.code);
      expect(link.url).toContain(`?code=${link.code}`);
      expect(invite.url).toContain(`?account_invite_token=${invite.code}`);
      expect((await messageTo(later, person.email)).url).toBe(invite.url);
      const made = await api(later, "/register", {
        body: {
          ...{ identifier: person.email, username: person.username, password: person.password },
          account_invite_token: invite.code,
        },
      });
      expect(made.status, made.text).toBe(202);
      const members = await as(owner, "GET", `/org/${slug}/members`, undefined, later);
      expect(JSON.stringify(members.body["data"])).toContain('"role":"reader"');
      const carrying = (more: object) =>
        call(later, "CreateAccountRegistrationInvite", {
          req: {
            ...{ Email: newPerson().email, InvitedBy: owner.id, Persona: "org", InstanceSlug: slug },
            ...more,
          },
        });
      expect((await carrying({ Role: " Reader " })).status).toBe(200);
      expect(outcome(await carrying({ Role: "guarded" }))).toEqual([403, "2fa_enrollment_required"]);
      expect(outcome(await carrying({ Role: "unheard-of" }))).toEqual([400, "role_not_assignable"]);
      const unknownKey = { keyID: "nobody", secret: "none" };
      const resolved = await call(later, "ResolveAPIKeyDetailed", unknownKey);
      expect(outcome(resolved)).toEqual([401, "invalid_token"]);
    } finally {
      await later.stop();
    }
  });
});

test("users may call their groups what the persona allows, and reserved names need a role in the root group", async () => {
  const [user, staff] = [await account(), await account()];
  const make = async (who: Account, slug: string, persona = "club") =>
    outcome(await as(who, "POST", `/${persona}`, { slug }));
  for (const slug of ["ab", "a.club", "x".repeat(21)])
    expect([slug, ...(await make(user, slug))]).toEqual([slug, 400, "group_slug_invalid"]);
  expect(await make(user, "a.club", "org")).toEqual([201, undefined]);
  expect(await make(user, " Press ")).toEqual([403, "group_slug_reserved"]);
  expect(await make(user, "my-club")).toEqual([201, undefined]);
  const rename = async (slug: string) => outcome(await as(user, "PATCH", "/club/my-club", { slug }));
  expect(await rename("press")).toEqual([403, "group_slug_reserved"]);
  expect(await rename("ab")).toEqual([400, "group_slug_invalid"]);
  expect(await rename("my-club")).toEqual([200, undefined]);
  expect((await call(cluster, "AssignRoleBySlug", { userID: staff.id, slug: "owner" })).status).toBe(200);
  expect(await make(staff, "press")).toEqual([201, undefined]);
  expect(await make(user, "press", "org")).toEqual([201, undefined]);
});
