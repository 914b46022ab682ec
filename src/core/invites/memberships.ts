import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation } from "../../platform/postgres/port.ts";
import { isUuid } from "../identifiers/index.ts";
import type { Platform } from "../platform.ts";
import { groupOf, type InviteParts } from "./links.ts";
import { inviteStore } from "./store.ts";
import type { MembershipInvites } from "./types.ts";

const ttl = 7 * 86_400_000;

/** See {@link MembershipInvites}. */
export function createMembershipInvites(
  platform: Pick<Platform, "database" | "clock" | "random">,
  { groups, audit }: InviteParts,
): MembershipInvites {
  const { database, clock, random } = platform;

  const ids = (id: string, userId: string) => {
    const [invite, user] = [id.trim().toLowerCase(), userId.trim().toLowerCase()];
    if (!isUuid(invite) || !isUuid(user)) throw new AuthError("group_membership_invite_not_found");
    return { invite, user };
  };

  return {
    async create(address, givenUser, givenRole, givenInviter, context) {
      const userId = givenUser.trim().toLowerCase();
      const role = givenRole.trim().toLowerCase();
      const invitedBy = givenInviter.trim().toLowerCase();
      if (userId === "" || role === "" || !isUuid(invitedBy)) throw new AuthError("invalid_invite");
      if (!isUuid(userId)) throw new AuthError("user_not_found");
      if (!groups.catalogue.mayExist(address.persona.trim(), role))
        throw new AuthError("role_not_assignable");
      const group = await groups.resolve(address);
      try {
        return await database.transaction(async (tx) => {
          await groups.lock(group, tx);
          await groups.assertAuthority(invitedBy, group, "members:manage", role, tx);
          const at = clock.now();
          const expiresAt = new Date(at.getTime() + ttl);
          const fresh = { id: random.uuid(), groupId: group.id, userId, role, invitedBy, expiresAt, at };
          const id = await inviteStore.upsertMembership(tx, fresh);
          const details = { group: group.id, role, user: userId };
          const target = `group_membership_invite:${id}`;
          await audit.record({ action: "invite.created", target, outcome: "ok", details }, context, tx);
          return id;
        });
      } catch (error) {
        if (error instanceof ConstraintViolation && error.kind === "foreign_key")
          throw new AuthError("user_not_found", { cause: error });
        throw error;
      }
    },

    async list(address) {
      return inviteStore.membershipsOf(database, (await groups.resolve(address)).id);
    },

    async revoke(address, givenId, context) {
      const group = await groups.resolve(address);
      const id = givenId.trim().toLowerCase();
      await database.transaction(async (tx) => {
        if (!isUuid(id) || !(await inviteStore.revokeMembership(tx, id, group.id, clock.now())))
          throw new AuthError("group_membership_invite_not_found");
        const target = `group_membership_invite:${id}`;
        const details = { group: group.id };
        await audit.record({ action: "invite.revoked", target, outcome: "ok", details }, context, tx);
      });
    },

    async pending(userId) {
      return isUuid(userId) ? inviteStore.pending(database, userId, clock.now()) : [];
    },

    async accept(id, userId, context) {
      const { invite, user } = ids(id, userId);
      // One transaction: a refusal leaves the invite as it was.
      await database.transaction(async (tx) => {
        const claimed = await inviteStore.claim(tx, invite, user, clock.now());
        if (claimed === undefined) throw new AuthError("group_membership_invite_not_found");
        const group = groupOf(claimed);
        await groups.join(tx, group, user, claimed.role, context);
        const details = { group: group.id, role: claimed.role };
        const target = `group_membership_invite:${invite}`;
        await audit.record({ action: "invite.accepted", target, outcome: "ok", details }, context, tx);
      });
    },

    async decline(id, userId, context) {
      const { invite, user } = ids(id, userId);
      await database.transaction(async (tx) => {
        if (!(await inviteStore.decline(tx, invite, user, clock.now())))
          throw new AuthError("group_membership_invite_not_found");
        const target = `group_membership_invite:${invite}`;
        await audit.record({ action: "invite.declined", target, outcome: "ok" }, context, tx);
      });
    },
  };
}
