import { expect } from "vitest";
import { type Cases, nobody, type World } from "./case.ts";

/** Slug of a group of the world's own; user a owns it. */
export const slugOf = ({ tag }: World): string => `g-${tag}`.toLowerCase();
export const org = (world: World) => ({ persona: "org", instanceSlug: slugOf(world) });
const nowhere = { persona: "org", instanceSlug: "no-such-group" };

/** Makes the group; once for each world. */
export async function found(world: World): Promise<World> {
  const { client, userId } = world;
  const req = { ...org(world), ownerSubjectId: userId };
  await client.createPermissionGroup({ req }).catch(() => undefined);
  return world;
}

const subject = (subjectId: string) => ({ subjectId, subjectKind: "user" });
const member = async (world: World, role = "member"): Promise<void> => {
  await found(world);
  await world.client.assignGroupRole({ ...org(world), ...subject(world.otherId), role });
};

/** Tells what a case made to the call that needs it. */
const made = new Map<string, string>();
const hour = 3_600_000_000_000;
const link = (world: World, more: object = {}) => ({
  req: { ...org(world), role: "member", expiresIn: hour, invitedBy: world.userId, ...more },
});

async function newLink(world: World): Promise<void> {
  await found(world);
  const { id, code } = await world.client.createGroupInviteLink(link(world));
  made.set(`${world.tag} link`, id);
  made.set(`${world.tag} code`, code);
}

const invitation = (world: World, more: object = {}) => ({
  req: { email: `guest-${world.tag}@example.com`, invitedBy: world.userId, expiresIn: hour, ...more },
});

async function ownRoot({ client, userId }: World): Promise<void> {
  await client.assignRoleBySlug({ userId, slug: "owner" });
}

/** Groups, members, links and invitations. */
export const groupCases: Cases = {
  ensureRootGroup: { args: () => ({}), check: (id) => expect(id).toMatch(/^[0-9a-f-]{36}$/) },
  seedPermissionGroupContainment: { args: () => ({}) },
  externalInvitesEnabled: { args: () => ({}), check: (enabled) => expect(enabled).toBe(true) },
  deletePermissionGroup: {
    before: found,
    args: (world) => ({ ...org(world), releaseSlug: false }),
    check: async (_, world) => {
      const gone = await world.client.resolveGroupIdForSlug(org(world)).catch((error) => error.code);
      expect(gone).toBe("permission_group_not_found");
    },
    errors: { permission_group_not_found: () => ({ ...nowhere, releaseSlug: false }) },
  },
  createPermissionGroup: {
    args: (world) => ({ req: { ...org(world), ownerSubjectId: world.userId } }),
    check: async (id, world) => expect(await world.client.resolveGroupIdForSlug(org(world))).toBe(id),
    errors: {
      unknown_group_persona: (world) => ({ req: { ...org(world), persona: "team" } }),
      group_slug_invalid: (world) => ({ req: { ...org(world), instanceSlug: "Not A Slug" } }),
      group_slug_taken: async (world) => ({ req: org(await found(world)) }),
      permission_group_not_found: (world) => ({
        req: { persona: "unit", instanceSlug: slugOf(world), parentInstanceSlug: "no-such-group" },
      }),
      "2fa_enrollment_required": (world) => ({
        req: { persona: "vault", instanceSlug: slugOf(world), ownerSubjectId: world.userId },
      }),
    },
    unreachable: { group_slug_reserved: "a name given up says group_slug_taken; no other name is kept" },
  },
  resolveGroupIdForSlug: {
    before: found,
    args: org,
    check: (id) => expect(id).toMatch(/^[0-9a-f-]{36}$/),
    errors: { permission_group_not_found: () => nowhere },
  },
  groupInstanceForSlug: {
    before: found,
    args: org,
    check: (group, world) => expect(group).toMatchObject(org(world)),
    errors: { permission_group_not_found: () => nowhere },
  },
  listGroupMembers: {
    before: found,
    args: org,
    check: (members, { userId }) => expect(members).toEqual([{ ...subject(userId), role: "owner" }]),
    errors: { permission_group_not_found: () => nowhere },
  },
  listSubjectGroups: {
    before: found,
    args: ({ userId }) => subject(userId),
    check: (groups, world) => expect(groups).toMatchObject([{ ...org(world), role: "owner" }]),
  },
  can: {
    before: found,
    args: (world) => ({ ...subject(world.userId), ...org(world), perm: "org:members:read" }),
    check: (allowed) => expect(allowed).toBe(true),
  },
  listEffectivePermissions: {
    before: found,
    args: (world) => ({ ...subject(world.userId), ...org(world) }),
    check: (permissions) => expect(permissions).toEqual(["org:*"]),
  },
  assignGroupRole: {
    before: found,
    args: (world) => ({ ...org(world), ...subject(world.otherId), role: "member" }),
    check: async (_, world) =>
      expect(await world.client.listGroupMembers(org(world))).toContainEqual({
        ...subject(world.otherId),
        role: "member",
      }),
    errors: {
      permission_group_not_found: ({ otherId }) => ({ ...nowhere, ...subject(otherId), role: "member" }),
      role_not_assignable: async (world) => ({
        ...org(await found(world)),
        ...subject(world.otherId),
        role: "king",
      }),
      "2fa_enrollment_required": async (world) => ({
        ...org(await found(world)),
        ...subject(world.otherId),
        role: "guard",
      }),
    },
  },
  assignGroupRoleAs: {
    before: found,
    args: (world) => ({
      actorUserId: world.userId,
      ...org(world),
      ...subject(world.otherId),
      role: "member",
    }),
    errors: {
      insufficient_role_authority: async (world) => ({
        ...{
          actorUserId: world.otherId,
          ...org(await found(world)),
          ...subject(world.userId),
          role: "member",
        },
      }),
      permission_group_not_found: ({ userId, otherId }) => ({
        ...{ actorUserId: userId, ...nowhere, ...subject(otherId), role: "member" },
      }),
      role_not_assignable: async (world) => ({
        ...{ actorUserId: world.userId, ...org(await found(world)), ...subject(world.otherId), role: "king" },
      }),
      "2fa_enrollment_required": async (world) => ({
        ...{
          actorUserId: world.userId,
          ...org(await found(world)),
          ...subject(world.otherId),
          role: "guard",
        },
      }),
      role_assignment_escalation: async (world) => {
        await member(world, "clerk");
        return { actorUserId: world.otherId, ...org(world), ...subject(world.userId), role: "writer" };
      },
    },
  },
  unassignGroupRoleAs: {
    before: member,
    args: (world) => ({
      actorUserId: world.userId,
      ...org(world),
      ...subject(world.otherId),
      role: "member",
    }),
    check: async (_, world) => expect(await world.client.listGroupMembers(org(world))).toHaveLength(1),
    errors: {
      insufficient_role_authority: async (world) => ({
        ...{
          actorUserId: world.otherId,
          ...org(await found(world)),
          ...subject(world.userId),
          role: "owner",
        },
      }),
      permission_group_not_found: ({ userId, otherId }) => ({
        ...{ actorUserId: userId, ...nowhere, ...subject(otherId), role: "member" },
      }),
      role_not_assignable: async (world) => ({
        ...{ actorUserId: world.userId, ...org(await found(world)), ...subject(world.otherId), role: "king" },
      }),
      role_assignment_escalation: async (world) => {
        await member(world, "clerk");
        return { actorUserId: world.otherId, ...org(world), ...subject(world.userId), role: "owner" };
      },
    },
  },
  removeGroupSubjectAs: {
    before: member,
    args: (world) => ({ actorUserId: world.userId, ...org(world), ...subject(world.otherId) }),
    check: async (_, world) => expect(await world.client.listGroupMembers(org(world))).toHaveLength(1),
    errors: {
      insufficient_role_authority: async (world) => ({
        ...{ actorUserId: world.otherId, ...org(await found(world)), ...subject(world.userId) },
      }),
      permission_group_not_found: ({ userId, otherId }) => ({
        actorUserId: userId,
        ...nowhere,
        ...subject(otherId),
      }),
      cannot_remove_last_admin_role: async (world) => ({
        ...{ actorUserId: world.userId, ...org(await found(world)), ...subject(world.userId) },
      }),
      role_assignment_escalation: async (world) => {
        await member(world, "clerk");
        return { actorUserId: world.otherId, ...org(world), ...subject(world.userId) };
      },
    },
    unreachable: {
      role_not_assignable: "a subject's stored roles are taken away whether anybody declares them or not",
    },
  },
  leaveGroup: {
    before: member,
    args: (world) => ({ userId: world.otherId, ...org(world) }),
    check: async (_, world) => expect(await world.client.listGroupMembers(org(world))).toHaveLength(1),
    errors: {
      cannot_remove_last_admin_role: async (world) => ({ userId: world.userId, ...org(await found(world)) }),
      permission_group_not_found: ({ userId }) => ({ userId, ...nowhere }),
    },
  },
  createGroupInviteLink: {
    before: found,
    args: (world) => link(world),
    check: ({ code, url }) => {
      expect(code).toMatch(/\S{20,}/);
      expect(url).toContain(code);
    },
    errors: {
      insufficient_role_authority: async (world) => link(await found(world), { invitedBy: world.otherId }),
      invalid_invite: async (world) => link(await found(world), { invitedBy: "" }),
      permission_group_not_found: (world) => link(world, nowhere),
      role_assignment_escalation: async (world) => {
        await member(world, "clerk");
        return link(world, { invitedBy: world.otherId, role: "writer" });
      },
      role_not_assignable: async (world) => link(await found(world), { role: "king" }),
    },
    unreachable: {
      external_invites_disabled: "registration is open here; a closed one is tested with its routes",
    },
  },
  listGroupInviteLinks: {
    before: newLink,
    args: org,
    check: (links, world) => expect(links?.map(({ id }) => id)).toEqual([made.get(`${world.tag} link`)]),
    errors: { permission_group_not_found: () => nowhere },
  },
  revokeGroupInviteLink: {
    before: newLink,
    args: (world) => ({ ...org(world), linkId: made.get(`${world.tag} link`) ?? "" }),
    check: async (_, world) =>
      expect((await world.client.listGroupInviteLinks(org(world)))?.[0]?.revokedAt).toBeInstanceOf(Date),
    errors: {
      group_invite_link_not_found: async (world) => ({ ...org(await found(world)), linkId: nobody }),
      invalid_invite: async (world) => ({ ...org(await found(world)), linkId: "" }),
      permission_group_not_found: () => ({ ...nowhere, linkId: nobody }),
    },
  },
  redeemGroupInviteLink: {
    before: newLink,
    args: (world) => ({ code: made.get(`${world.tag} code`) ?? "", redeemerUserId: world.otherId }),
    check: (joined, world) => expect(joined).toEqual({ ...org(world), role: "member" }),
    errors: {
      group_invite_link_not_found: ({ otherId }) => ({ code: "x".repeat(43), redeemerUserId: otherId }),
      invalid_invite: ({ otherId }) => ({ code: "", redeemerUserId: otherId }),
      group_invite_link_expired: async (world) => {
        await found(world);
        const { code } = await world.client.createGroupInviteLink(link(world, { expiresIn: 1_000_000_000 }));
        await new Promise((resolve) => setTimeout(resolve, 1_100));
        return { code, redeemerUserId: world.otherId };
      },
      group_invite_link_revoked: async (world) => {
        await newLink(world);
        await world.client.revokeGroupInviteLink({
          ...org(world),
          linkId: made.get(`${world.tag} link`) ?? "",
        });
        return { code: made.get(`${world.tag} code`) ?? "", redeemerUserId: world.otherId };
      },
      "2fa_enrollment_required": async (world) => {
        await found(world);
        const { code } = await world.client.createGroupInviteLink(link(world, { role: "guard" }));
        return { code, redeemerUserId: world.otherId };
      },
    },
  },
  createAccountRegistrationInvite: {
    before: ownRoot,
    args: (world) => invitation(world),
    check: ({ email, code }, world) => {
      expect(email).toBe(`guest-${world.tag}@example.com`);
      expect(code).toMatch(/\S{20,}/);
    },
    errors: {
      insufficient_role_authority: (world) => invitation(world, { invitedBy: world.otherId }),
      invalid_email: async (world) => {
        await ownRoot(world);
        return invitation(world, { email: "a@b@c" });
      },
      invalid_invite: (world) => invitation(world, { invitedBy: "" }),
    },
  },
  revokeAccountRegistrationInvite: {
    async before(world) {
      await ownRoot(world);
      made.set(
        `${world.tag} invite`,
        (await world.client.createAccountRegistrationInvite(invitation(world))).id,
      );
    },
    args: (world) => ({ inviteId: made.get(`${world.tag} invite`) ?? "", actorUserId: world.userId }),
    errors: {
      account_registration_invite_not_found: async (world) => {
        await ownRoot(world);
        return { inviteId: nobody, actorUserId: world.userId };
      },
      insufficient_role_authority: (world) => ({ inviteId: nobody, actorUserId: world.otherId }),
      invalid_invite: () => ({ inviteId: nobody, actorUserId: "" }),
    },
  },
};
