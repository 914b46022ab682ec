import { expect } from "vitest";
import { type Cases, nobody, noUuid, type World } from "./case.ts";

const root = { persona: "root", instanceSlug: "" };

/** User a owns the deployment. */
async function ownRoot({ client, userId }: World): Promise<void> {
  await client.assignRoleBySlug({ userId, slug: "owner" });
}

/** User b may give roles in the root group, but holds little himself. */
async function clerkOfRoot({ client, otherId }: World): Promise<void> {
  await client.assignRoleBySlug({ userId: otherId, slug: "clerk" });
}

const rolesOf = ({ client }: World, userId: string) => client.listRoleSlugsByUserErr({ userId });

/** Roles in the root group by their slugs. */
export const roleCases: Cases = {
  assignRoleBySlug: {
    args: ({ userId }) => ({ userId, slug: " Auditor " }),
    check: async (_, world) => expect(await rolesOf(world, world.userId)).toEqual(["auditor"]),
    errors: {
      role_not_assignable: ({ userId }) => ({ userId, slug: "king" }),
      "2fa_enrollment_required": ({ userId }) => ({ userId, slug: "guard" }),
    },
  },
  assignRoleBySlugAs: {
    before: ownRoot,
    args: ({ userId, otherId }) => ({ actorUserId: userId, userId: otherId, slug: "auditor" }),
    check: async (_, world) => expect(await rolesOf(world, world.otherId)).toEqual(["auditor"]),
    errors: {
      insufficient_role_authority: ({ userId, otherId }) => ({
        actorUserId: otherId,
        userId,
        slug: "auditor",
      }),
      role_assignment_escalation: async (world) => {
        await clerkOfRoot(world);
        return { actorUserId: world.otherId, userId: world.userId, slug: "owner" };
      },
      role_not_assignable: async (world) => {
        await ownRoot(world);
        return { actorUserId: world.userId, userId: world.otherId, slug: "king" };
      },
      "2fa_enrollment_required": ({ userId, otherId }) => ({
        actorUserId: userId,
        userId: otherId,
        slug: "guard",
      }),
    },
    unreachable: { permission_group_not_found: "the root group is made by the call" },
  },
  assignRolesBySlugAs: {
    before: ownRoot,
    args: ({ userId, otherId }) => ({ actorUserId: userId, userIds: [otherId, nobody], slug: "auditor" }),
    check: (results, { otherId }) =>
      expect(results).toEqual([
        { id: otherId, error: "" },
        { id: nobody, error: "user_not_found" },
      ]),
  },
  removeRoleBySlug: {
    before: ownRoot,
    args: ({ userId }) => ({ userId, slug: "owner" }),
    check: async (_, world) => expect(await rolesOf(world, world.userId)).toBeNull(),
    unreachable: { permission_group_not_found: "the root group is there since the start" },
  },
  removeRoleBySlugAs: {
    async before(world) {
      await ownRoot(world);
      await clerkOfRoot(world);
    },
    args: ({ userId, otherId }) => ({ actorUserId: userId, userId: otherId, slug: "clerk" }),
    check: async (_, world) => expect(await rolesOf(world, world.otherId)).toBeNull(),
    errors: {
      insufficient_role_authority: ({ userId, otherId }) => ({ actorUserId: otherId, userId, slug: "owner" }),
      role_assignment_escalation: async (world) => {
        await ownRoot(world);
        await clerkOfRoot(world);
        return { actorUserId: world.otherId, userId: world.userId, slug: "owner" };
      },
    },
    unreachable: { permission_group_not_found: "the root group is there since the start" },
  },
  removeRolesBySlugAs: {
    async before(world) {
      await ownRoot(world);
      await clerkOfRoot(world);
    },
    args: ({ userId, otherId }) => ({ actorUserId: userId, userIds: [otherId], slug: "clerk" }),
    check: (results, { otherId }) => expect(results).toEqual([{ id: otherId, error: "" }]),
  },
  listRoleSlugsByUser: {
    before: ownRoot,
    args: ({ userId }) => ({ userId }),
    check: (roles) => expect(roles).toEqual(["owner"]),
  },
  listRoleSlugsByUserErr: {
    before: ownRoot,
    args: ({ userId }) => ({ userId }),
    check: (roles) => expect(roles).toEqual(["owner"]),
    errors: { invalid_user: () => ({ userId: noUuid }) },
  },
  roleSlugsByUsers: {
    before: ownRoot,
    args: ({ userId, otherId }) => ({ userIds: [userId, otherId] }),
    check: (roles, { userId }) => expect(roles).toEqual({ [userId]: ["owner"] }),
  },
  upsertRoleBySlug: {
    args: () => ({ name: "Auditor", slug: "auditor", description: "" }),
    check: async (_, { client }) => expect(await client.resolveGroupIdForSlug(root)).toMatch(/-/),
    errors: { invalid_role: () => ({ name: "", slug: " ", description: "" }) },
  },
};
