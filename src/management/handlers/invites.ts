import type { HandlerFactory } from "./index.ts";

const nanoseconds = 1_000_000_000;

/** Whole seconds of a duration as the contract counts it. */
function seconds(duration: bigint | number): number {
  return Math.ceil(Number(duration) / nanoseconds);
}

/** Invite links of groups, and invitations to register. */
export const inviteHandlers: HandlerFactory = ({ inviteLinks, registrationInvites }) => ({
  createGroupInviteLink: ({ req }, { callContext }) =>
    inviteLinks.create(req, req.role, req.invitedBy, seconds(req.expiresIn), callContext),
  listGroupInviteLinks: async (address) =>
    (await inviteLinks.list(address)).map((link) => ({ ...link, uses: link.redeemedAt === null ? 0 : 1 })),
  revokeGroupInviteLink: async ({ persona, instanceSlug, linkId }, { callContext }) => {
    await inviteLinks.revoke({ persona, instanceSlug }, linkId, callContext);
  },
  redeemGroupInviteLink: ({ code, redeemerUserId }, { callContext }) =>
    inviteLinks.redeem(code, redeemerUserId, callContext),
  createAccountRegistrationInvite: ({ req }, { callContext }) =>
    registrationInvites.create({ ...req, ttlSeconds: seconds(req.expiresIn) }, callContext),
  revokeAccountRegistrationInvite: async ({ inviteId, actorUserId }, { callContext }) => {
    await registrationInvites.revoke(inviteId, actorUserId, callContext);
  },
});
