import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PersonaConfig } from "../../../src/config/config.ts";
import {
  createGroups,
  type GroupAddress,
  type Groups,
  type Subject,
} from "../../../src/core/groups/index.ts";
import { addUser, context, type Fixture, openFixture, refusal } from "../users/fixture.ts";

const capabilities = { apiKeys: false, remoteApplications: false, customRoles: false };
const persona = (name: string, parent: string, roles: Record<string, string[]>): PersonaConfig => ({
  name,
  parent,
  roles: Object.entries(roles).map(([role, permissions]) => ({
    name: role,
    permissions,
    requiresMfa: false,
  })),
  capabilities: { ...capabilities, customRoles: name === "org" },
  catalog: [],
  requireConsent: false,
  selfServiceCreation: false,
});
const personas = [
  persona("root", "", {
    admin: ["root:users:ban"],
    "member-manager": ["root:members:manage", "root:users:ban"],
    "role-manager": ["root:roles:manage", "root:users:ban"],
    nothing: [],
  }),
  persona("org", "root", { member: ["org:repo:read"] }),
];
const root: GroupAddress = { persona: "root", instanceSlug: "" };

let f: Fixture;
let groups: Groups;
let owner: Subject;
beforeAll(async () => {
  f = await openFixture();
  groups = createGroups(
    { ...f.platform, config: { ...f.config, personas } },
    { audit: f.audit, hasSecondFactor: async () => false },
  );
});
afterAll(() => f.close());
const person = async (): Promise<Subject> => ({ id: (await addUser(f)).id, kind: "user" });
const holder = async (role: string): Promise<Subject> => {
  const subject = await person();
  await groups.assign(root, subject, role, context());
  return subject;
};
beforeEach(async () => {
  await groups.ensureRoot();
  await f.query("DELETE FROM S.group_user_roles");
  owner = await holder("owner");
});

describe("authority over roles", () => {
  it("lets an owner assign every role", async () => {
    for (const role of ["admin", "member-manager", "owner"]) {
      const subject = await person();
      await groups.assignAs(owner.id, root, subject, role, context());
      expect(await groups.memberships(subject)).toMatchObject([{ persona: "root", instanceSlug: "", role }]);
    }
  });

  it.each(["admin", "role-manager"])("refuses %s, who cannot manage members", async (role) => {
    const actor = await holder(role);
    const target = await holder("admin");
    const work = groups.assignAs(actor.id, root, await person(), "nothing", context());
    expect(await refusal(work)).toBe("insufficient_role_authority");
    expect(await refusal(groups.removeAs(actor.id, root, target, context()))).toBe(
      "insufficient_role_authority",
    );
  });

  it("lets a manager deal in roles it covers, and in no others", async () => {
    const { id } = await holder("member-manager");
    const target = await person();
    await groups.assignAs(id, root, target, "admin", context());
    await groups.assignAs(id, root, target, "nothing", context());
    await groups.removeAs(id, root, target, context());
    expect(await groups.memberships(target)).toEqual([]);
    const code = "role_assignment_escalation";
    expect(await refusal(groups.assignAs(id, root, target, "owner", context()))).toBe(code);
    expect(await refusal(groups.removeAs(id, root, owner, context()))).toBe(code);
    expect(await refusal(groups.assignAs(id, root, owner, "nothing", context()))).toBe(code);
    expect(await refusal(groups.assignAs(id, root, target, "unknown", context()))).toBe(
      "role_not_assignable",
    );
  });

  it("keeps only the grants of the latest role", async () => {
    const subject = await holder("role-manager");
    await groups.assign(root, subject, "admin", context());
    expect(await groups.permissions(subject, root)).toEqual(["root:users:ban"]);
    const [row] = await f.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM S.group_user_roles WHERE user_id = $1",
      [subject.id],
    );
    expect(row?.n).toBe(2);
  });

  it("never applies root grants to another persona's permissions", async () => {
    const founder = await person();
    await groups.create(
      {
        persona: "org",
        instanceSlug: "acme",
        parentPersona: "",
        parentInstanceSlug: "",
        ownerSubjectId: founder.id,
        ownerSubjectKind: "",
        displayName: "Acme",
      },
      context(),
    );
    const acme = { persona: "org", instanceSlug: "acme" };
    expect(await groups.can(founder, "org:members:manage", acme)).toBe(true);
    expect(await groups.can(owner, "org:members:manage", acme)).toBe(false);
    expect(await groups.can(owner, "root:users:ban", acme)).toBe(true);
    expect(await groups.can(owner, "root:users:ban", { persona: "org", instanceSlug: "Bad Slug" })).toBe(
      false,
    );
    expect(await refusal(groups.assign(acme, founder, "undefined-role", context()))).toBe(
      "role_not_assignable",
    );
  });
});

describe("the last owner", () => {
  it("can neither leave, nor be removed, unassigned or given another role", async () => {
    const code = "cannot_remove_last_admin_role";
    expect(await refusal(groups.leave(owner.id, root, context()))).toBe(code);
    expect(await refusal(groups.removeAs(owner.id, root, owner, context()))).toBe(code);
    expect(await refusal(groups.unassignAs(owner.id, root, owner, "owner", context()))).toBe(code);
    expect(await refusal(groups.assignAs(owner.id, root, owner, "admin", context()))).toBe(code);
    expect(await groups.permissions(owner, root)).toEqual(["root:*"]);
  });

  it("is one who can act: a banned owner does not count", async () => {
    const banned = await holder("owner");
    await f.query("UPDATE S.users SET banned_at = now() WHERE id = $1", [banned.id]);
    expect(await refusal(groups.leave(owner.id, root, context()))).toBe("cannot_remove_last_admin_role");
    await groups.removeAs(owner.id, root, banned, context());
    expect(await groups.memberships(banned)).toEqual([]);
  });

  it("remains when all owners leave at once", async () => {
    const others = await Promise.all(Array.from({ length: 19 }, () => holder("owner")));
    const codes = await Promise.all(
      [owner, ...others].map(({ id }) => refusal(groups.leave(id, root, context()))),
    );
    expect(codes.filter((code) => code === "cannot_remove_last_admin_role")).toHaveLength(1);
    expect(codes.filter((code) => code === undefined)).toHaveLength(19);
    expect(await groups.members(root)).toHaveLength(1);
  });

  it("does not stop others from leaving, twice", async () => {
    const { id } = await holder("admin");
    await groups.leave(id, root, context());
    await groups.leave(id, root, context());
    expect(await groups.memberships({ id, kind: "user" })).toEqual([]);
  });
});

it("makes one root group under a race", async () => {
  await f.query("DELETE FROM S.permission_groups");
  const ids = await Promise.all(Array.from({ length: 20 }, () => groups.ensureRoot()));
  expect(new Set(ids).size).toBe(1);
});
