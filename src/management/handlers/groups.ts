import { AuthError } from "../../contract/errors/index.ts";
import type { GroupAddress, Subject } from "../../core/groups/index.ts";
import { isUuid } from "../../core/identifiers/index.ts";
import type { HandlerFactory } from "./index.ts";

interface SubjectArgs {
  readonly subjectId: string;
  readonly subjectKind: string;
}

/** Throws `invalid_request` for an id that is no UUID, or a kind other than the two there are. */
function subjectOf({ subjectId, subjectKind }: SubjectArgs): Subject {
  const id = subjectId.trim().toLowerCase();
  const known = subjectKind === "user" || subjectKind === "remote_application";
  if (!known || !isUuid(id)) throw new AuthError("invalid_request");
  return { id, kind: subjectKind };
}

function addressOf({ persona, instanceSlug }: GroupAddress): GroupAddress {
  return { persona, instanceSlug };
}

/** Groups, members and what they may do. */
export const groupHandlers: HandlerFactory = ({ groups }, config) => ({
  ensureRootGroup: () => groups.ensureRoot(),
  seedPermissionGroupContainment: () => groups.seedContainment(),
  createPermissionGroup: async ({ req }, { callContext }) => (await groups.create(req, callContext)).id,
  deletePermissionGroup: ({ persona, instanceSlug, releaseSlug }, { callContext }) =>
    groups.deletion.remove({ persona, instanceSlug }, { releaseSlugs: releaseSlug }, callContext),
  resolveGroupIdForSlug: async (args) => (await groups.resolve(args)).id,
  groupInstanceForSlug: async (args) => {
    const group = await groups.resolve(args);
    return { ...group, instanceSlug: group.instanceSlug ?? "" };
  },
  listGroupMembers: async (args) => {
    const members = await groups.members(args);
    return members.length === 0 ? null : members;
  },
  listSubjectGroups: async (args) => {
    const memberships = await groups.memberships(subjectOf(args));
    return memberships.length === 0 ? null : memberships;
  },
  can: (args) => groups.can(subjectOf(args), args.perm, args),
  listEffectivePermissions: (args) => groups.permissions(subjectOf(args), args),
  externalInvitesEnabled: async () => ["open", "invite_only"].includes(config.registration.mode),
  assignGroupRole: (args, { callContext }) =>
    groups.assign(addressOf(args), subjectOf(args), args.role, callContext),
  assignGroupRoleAs: (args, { callContext }) =>
    groups.assignAs(args.actorUserId, addressOf(args), subjectOf(args), args.role, callContext),
  unassignGroupRoleAs: (args, { callContext }) =>
    groups.unassignAs(args.actorUserId, addressOf(args), subjectOf(args), args.role, callContext),
  removeGroupSubjectAs: (args, { callContext }) =>
    groups.removeAs(args.actorUserId, addressOf(args), subjectOf(args), callContext),
  leaveGroup: (args, { callContext }) => groups.leave(args.userId, addressOf(args), callContext),
});
