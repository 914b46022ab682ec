import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/index.ts";
import type { GroupRow, Groups } from "../groups/index.ts";
import { isUuid } from "../identifiers/index.ts";
import type { Messages } from "../messages/types.ts";
import type { Platform } from "../platform.ts";
import { hashToken } from "../verification/secrets.ts";
import { inviteStore, type LockedLink } from "./store.ts";
import type { InviteLinks } from "./types.ts";

const defaultTtl = 72 * 3600;
const maxTtl = 30 * 86_400;

export interface InviteParts {
  readonly groups: Pick<
    Groups,
    "resolve" | "catalogue" | "assertAuthority" | "join" | "lock" | "can" | "permissionsIn"
  >;
  readonly audit: Audit;
  readonly messages: Pick<Messages, "link">;
}

export function groupOf(
  row: Pick<LockedLink, "groupId" | "persona" | "instanceSlug" | "displayName">,
): GroupRow {
  const { groupId, persona, instanceSlug, displayName } = row;
  return { id: groupId, persona, instanceSlug, displayName };
}

/** See {@link InviteLinks}. */
export function createInviteLinks(
  platform: Pick<Platform, "config" | "database" | "clock" | "random">,
  { groups, audit, messages }: InviteParts,
): InviteLinks {
  const { config, database, clock, random } = platform;

  /** Whoever made the link must still be allowed to: otherwise it outlives the authority it came from. */
  async function assertInviterMay(tx: Transaction, link: LockedLink): Promise<void> {
    if (link.inviterGone) throw new AuthError("group_invite_link_revoked");
    try {
      await groups.assertAuthority(link.invitedBy, groupOf(link), "members:manage", link.role, tx);
    } catch (cause) {
      if (!isAuthError(cause)) throw cause;
      throw new AuthError("group_invite_link_revoked", { cause });
    }
  }

  return {
    async create(address, givenRole, givenInviter, ttlSeconds, context) {
      if (config.registration.mode === "closed") throw new AuthError("external_invites_disabled");
      const role = givenRole.trim().toLowerCase();
      const invitedBy = givenInviter.trim().toLowerCase();
      if (role === "" || !isUuid(invitedBy)) throw new AuthError("invalid_invite");
      if (!groups.catalogue.mayExist(address.persona.trim(), role))
        throw new AuthError("role_not_assignable");
      const group = await groups.resolve(address);
      const ttl = ttlSeconds <= 0 ? defaultTtl : Math.min(ttlSeconds, maxTtl);
      const [id, code, at] = [random.uuid(), random.token(32), clock.now()];
      await database.transaction(async (tx) => {
        await groups.lock(group, tx);
        await groups.assertAuthority(invitedBy, group, "members:manage", role, tx);
        const expiresAt = new Date(at.getTime() + ttl * 1000);
        const codeHash = hashToken(code);
        await inviteStore.insertLink(tx, { id, groupId: group.id, role, invitedBy, codeHash, expiresAt, at });
        await audit.record(
          {
            action: "invite.created",
            target: `group_invite_link:${id}`,
            outcome: "ok",
            details: { group: group.id, role },
          },
          context,
          tx,
        );
      });
      return { id, code, url: messages.link("invite", { code }) };
    },

    async list(address) {
      return inviteStore.links(database, (await groups.resolve(address)).id);
    },

    async revoke(address, givenId, context) {
      const id = givenId.trim().toLowerCase();
      if (id === "") throw new AuthError("invalid_invite");
      const group = await groups.resolve(address);
      await database.transaction(async (tx) => {
        if (!isUuid(id) || !(await inviteStore.revokeLink(tx, id, group.id, clock.now())))
          throw new AuthError("group_invite_link_not_found");
        await audit.record(
          {
            action: "invite.revoked",
            target: `group_invite_link:${id}`,
            outcome: "ok",
            details: { group: group.id },
          },
          context,
          tx,
        );
      });
    },

    async redeem(givenCode, givenUser, context) {
      const code = givenCode.trim();
      const userId = givenUser.trim().toLowerCase();
      if (code === "" || !isUuid(userId)) throw new AuthError("invalid_invite");
      return database.transaction(async (tx) => {
        const at = clock.now();
        const link = await inviteStore.lockLink(tx, hashToken(code), at);
        if (link === undefined) throw new AuthError("group_invite_link_not_found");
        if (link.revokedAt !== null) throw new AuthError("group_invite_link_revoked");
        if (link.expiresAt !== null && link.expiresAt <= at) throw new AuthError("group_invite_link_expired");
        const group = groupOf(link);
        const joined = {
          persona: group.persona,
          instanceSlug: group.instanceSlug ?? "",
          role: link.role,
        };
        const outcome = await groups.join(tx, group, userId, link.role, context, async () => {
          if (link.redeemedAt !== null) throw new AuthError("group_invite_link_not_found");
          await assertInviterMay(tx, link);
        });
        if (outcome === "kept") return joined;
        await inviteStore.redeemLink(tx, link.id, at);
        await audit.record(
          {
            action: "invite.redeemed",
            target: `user:${userId}`,
            outcome: "ok",
            details: { link: link.id, group: group.id, role: link.role },
          },
          context,
          tx,
        );
        return joined;
      });
    },
  };
}
