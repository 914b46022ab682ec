import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { api, behindProxy, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call } from "../support/http.ts";

const yaml = `
personas:
  - name: org
    parent: root
    roles:
      - {name: member, permissions: ["org:members:read"]}
`;

let cluster: TestCluster;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "authkit-groups-"));
  const file = join(folder, "config.yaml");
  await writeFile(file, yaml);
  cluster = await startCluster({
    env: { ...behindProxy, AUTHKIT_CONFIG: file, AUTHKIT_REGISTRATION_VERIFICATION: "none" },
  });
}, 60_000);
afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true });
});

function subjectOf(token: string): string {
  return String(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())["sub"]);
}

it("carries a group from its creation to the last owner's attempt to leave", async () => {
  const [owner, member, stranger] = [
    await registered(cluster),
    await registered(cluster),
    await registered(cluster),
  ];
  const [ownerId, memberId] = [subjectOf(owner.accessToken), subjectOf(member.accessToken)];
  const req = { Persona: "org", InstanceSlug: "acme", OwnerSubjectID: ownerId };
  const created = await call(cluster, "CreatePermissionGroup", { req });
  expect(created.status, created.text).toBe(200);
  expect((await call(cluster, "CreatePermissionGroup", { req })).code).toBe("group_slug_taken");

  const as = (bearer: string, method: string, path: string) => api(cluster, path, { method, bearer });
  const role = `/org/acme/members/${memberId}/roles`;
  const put = await as(owner.accessToken, "PUT", `${role}/member`);
  expect([put.status, put.body]).toEqual([
    200,
    { ok: true, persona: "org", instance_slug: "acme", user_id: memberId, role: "member" },
  ]);
  expect((await as(owner.accessToken, "PUT", `${role}/unknown`)).code).toBe("invalid_request");
  expect((await as(member.accessToken, "PUT", `${role}/owner`)).code).toBe("forbidden");
  expect((await as(stranger.accessToken, "GET", "/org/acme/members")).code).toBe("forbidden");
  expect((await as(stranger.accessToken, "GET", "/org/nowhere/members")).code).toBe("forbidden");

  const members = await as(member.accessToken, "GET", "/org/acme/members");
  expect(members.body["data"]).toHaveLength(2);
  const own = await as(member.accessToken, "GET", "/me/permissions?persona=org&instance=acme");
  expect(own.body["permissions"]).toEqual(["org:members:read"]);
  const groups = await as(member.accessToken, "GET", "/me/groups");
  expect(groups.body["data"]).toMatchObject([{ persona: "org", instance_slug: "acme", role: "member" }]);

  expect((await as(owner.accessToken, "DELETE", "/me/groups/org/acme")).code).toBe(
    "cannot_remove_last_owner",
  );
  expect((await as(owner.accessToken, "DELETE", "/me/groups/org/nowhere")).code).toBe("not_found");
  expect((await as(owner.accessToken, "DELETE", `/org/acme/members/${memberId}`)).status).toBe(200);
  expect((await as(member.accessToken, "GET", "/org/acme/members")).code).toBe("forbidden");
}, 60_000);

it("gives the first operator a role in the root group", async () => {
  const operator = subjectOf((await registered(cluster)).accessToken);
  const assigned = await call(cluster, "AssignRoleBySlug", { userID: operator, slug: " Owner " });
  expect(assigned.status, assigned.text).toBe(200);
  expect((await call(cluster, "ListRoleSlugsByUser", { userID: operator })).body).toEqual({
    result: ["owner"],
  });
  const can = { subjectID: operator, subjectKind: "user", persona: "root", perm: "root:users:ban" };
  expect((await call(cluster, "Can", can)).body).toEqual({ result: true });
});
