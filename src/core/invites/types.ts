import type { GroupAddress } from "../groups/index.ts";
import type { CallContext } from "../platform.ts";

/** What is told of an invite once. */
export interface IssuedInvite {
  readonly id: string;
  /** 43 characters. */
  readonly code: string;
  readonly url: string;
}

export interface InviteLink {
  readonly id: string;
  readonly permissionGroupId: string;
  readonly role: string;
  readonly invitedBy: string;
  readonly redeemedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface JoinedGroup {
  readonly persona: string;
  readonly instanceSlug: string;
  readonly role: string;
}

/** A role in a group for whoever has the link and an account. */
export interface InviteLinks {
  /**
   * `ttlSeconds` ≤ 0 = three days; at most thirty. Throws `external_invites_disabled`, `invalid_invite`, `role_not_assignable`,
   * `permission_group_not_found` and the codes of authority.
   */
  create(
    address: GroupAddress,
    role: string,
    invitedBy: string,
    ttlSeconds: number,
    context: CallContext,
  ): Promise<IssuedInvite>;
  /** Newest first. */
  list(address: GroupAddress): Promise<InviteLink[]>;
  /** Throws `invalid_invite`, `group_invite_link_not_found`. */
  revoke(address: GroupAddress, id: string, context: CallContext): Promise<void>;
  /**
   * Joins the group. Whoever holds as much already keeps it, and the link. Throws `invalid_invite`, `group_invite_link_not_found`,
   * `group_invite_link_revoked`, `group_invite_link_expired`, `2fa_enrollment_required`.
   */
  redeem(code: string, userId: string, context: CallContext): Promise<JoinedGroup>;
}

export interface PendingMembership {
  readonly id: string;
  readonly persona: string;
  readonly instanceSlug: string;
  readonly role: string;
  readonly invitedBy: string;
  readonly expiresAt: Date;
}

/** An offer as the group sees it; it may have expired. */
export interface OfferedMembership {
  readonly id: string;
  readonly userId: string;
  readonly role: string;
  readonly invitedBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** A role in a group offered to one account. */
export interface MembershipInvites {
  /** The id; a repeated invite keeps it. Throws `invalid_invite`, `user_not_found`, and as {@link InviteLinks.create}. */
  create(
    address: GroupAddress,
    userId: string,
    role: string,
    invitedBy: string,
    context: CallContext,
  ): Promise<string>;
  /** The group's, neither answered nor revoked, expired ones included, newest first. */
  list(address: GroupAddress): Promise<OfferedMembership[]>;
  /** Takes an offer back. Throws `group_membership_invite_not_found`. */
  revoke(address: GroupAddress, id: string, context: CallContext): Promise<void>;
  /** The user's own, unexpired, newest first. */
  pending(userId: string): Promise<PendingMembership[]>;
  /** Throws `group_membership_invite_not_found`, `2fa_enrollment_required`; the invite stays then. */
  accept(id: string, userId: string, context: CallContext): Promise<void>;
  decline(id: string, userId: string, context: CallContext): Promise<void>;
}

export interface RegistrationInviteRequest {
  readonly email: string;
  readonly invitedBy: string;
  /** ≤ 0 = seven days. */
  readonly ttlSeconds: number;
  /** Blank persona or role: the invite carries no role. */
  readonly persona: string;
  readonly instanceSlug: string;
  readonly role: string;
  /** Nothing is mailed. */
  readonly silent?: boolean;
}

export interface IssuedRegistrationInvite extends IssuedInvite {
  readonly email: string;
  readonly expiresAt: Date;
  readonly persona: string;
  readonly instanceSlug: string;
  readonly role: string;
}

/** The right to register once, optionally with a role. */
export interface RegistrationInvites {
  /**
   * Throws `invalid_email`, `invalid_invite`, `insufficient_role_authority`, and for a role what {@link InviteLinks.create} does, and
   * `2fa_enrollment_required` for one that demands a second factor: a new account has none.
   */
  create(request: RegistrationInviteRequest, context: CallContext): Promise<IssuedRegistrationInvite>;
  /** Throws `invalid_invite`, `insufficient_role_authority`, `account_registration_invite_not_found`. */
  revoke(id: string, actorUserId: string, context: CallContext): Promise<void>;
}
