export { createInviteLinks, type InviteParts } from "./links.ts";
export { createMembershipInvites } from "./memberships.ts";
export { createRegistrationInvites } from "./registrations.ts";
export type {
  InviteLink,
  InviteLinks,
  IssuedInvite,
  JoinedGroup,
  MembershipInvites,
  PendingMembership,
  RegistrationInvites,
} from "./types.ts";
