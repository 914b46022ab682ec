import { type Queryable, sql } from "../../platform/postgres/port.ts";
import type { InviteLink, OfferedMembership, PendingMembership } from "./types.ts";

const insertLink = sql(
  "invites.insertLink",
  (s) => `
  INSERT INTO ${s}.group_invite_links (id, permission_group_id, role, invited_by, code_hash, expires_at, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
);

const links = sql(
  "invites.links",
  (s) => `
  SELECT id, permission_group_id AS "permissionGroupId", role, invited_by AS "invitedBy", redeemed_at AS "redeemedAt",
    expires_at AS "expiresAt", revoked_at AS "revokedAt", created_at AS "createdAt", updated_at AS "updatedAt"
  FROM ${s}.group_invite_links WHERE permission_group_id = $1 ORDER BY created_at DESC, id DESC`,
);

const revokeLink = sql(
  "invites.revokeLink",
  (s) => `
  UPDATE ${s}.group_invite_links SET revoked_at = $3, updated_at = $3
  WHERE id = $1 AND permission_group_id = $2 AND revoked_at IS NULL`,
);

const lockLink = sql(
  "invites.lockLink",
  (s) => `
  SELECT l.id, l.role, l.redeemed_at AS "redeemedAt", l.expires_at AS "expiresAt", l.revoked_at AS "revokedAt",
    l.invited_by AS "invitedBy", u.deleted_at IS NOT NULL OR (u.banned_at IS NOT NULL AND (u.banned_until IS NULL OR u.banned_until > $2))
      AS "inviterGone",
    g.id AS "groupId", g.persona, g.instance_slug AS "instanceSlug", g.display_name AS "displayName"
  FROM ${s}.group_invite_links AS l
  JOIN ${s}.permission_groups AS g ON g.id = l.permission_group_id AND g.deleted_at IS NULL
  JOIN ${s}.users AS u ON u.id = l.invited_by
  WHERE l.code_hash = $1 FOR UPDATE OF l`,
);

const redeemLink = sql(
  "invites.redeemLink",
  (s) => `UPDATE ${s}.group_invite_links SET redeemed_at = $2, updated_at = $2 WHERE id = $1`,
);

const upsertMembership = sql(
  "invites.upsertMembership",
  (s) => `
  INSERT INTO ${s}.group_membership_invites AS i (id, permission_group_id, user_id, role, invited_by, expires_at, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
  ON CONFLICT (permission_group_id, user_id, role) WHERE accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL
  DO UPDATE SET invited_by = excluded.invited_by, expires_at = excluded.expires_at, updated_at = excluded.updated_at
  RETURNING i.id`,
);

const pending = sql(
  "invites.pending",
  (s) => `
  SELECT i.id, g.persona, coalesce(g.instance_slug, '') AS "instanceSlug", i.role, i.invited_by AS "invitedBy",
    i.expires_at AS "expiresAt"
  FROM ${s}.group_membership_invites AS i
  JOIN ${s}.permission_groups AS g ON g.id = i.permission_group_id AND g.deleted_at IS NULL
  WHERE i.user_id = $1 AND i.accepted_at IS NULL AND i.declined_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2
  ORDER BY i.created_at DESC, i.id DESC`,
);

const claim = sql(
  "invites.claim",
  (s) => `
  UPDATE ${s}.group_membership_invites AS i SET accepted_at = $3, updated_at = $3
  FROM ${s}.permission_groups AS g
  WHERE i.id = $1 AND i.user_id = $2 AND i.accepted_at IS NULL AND i.declined_at IS NULL AND i.revoked_at IS NULL
    AND i.expires_at > $3 AND g.id = i.permission_group_id AND g.deleted_at IS NULL
  RETURNING i.role, g.id AS "groupId", g.persona, g.instance_slug AS "instanceSlug", g.display_name AS "displayName"`,
);

const decline = sql(
  "invites.decline",
  (s) => `
  UPDATE ${s}.group_membership_invites SET declined_at = $3, updated_at = $3
  WHERE id = $1 AND user_id = $2 AND accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL`,
);

const membershipsOf = sql(
  "invites.membershipsOf",
  (s) => `
  SELECT id, user_id AS "userId", role, invited_by AS "invitedBy", created_at AS "createdAt", expires_at AS "expiresAt"
  FROM ${s}.group_membership_invites
  WHERE permission_group_id = $1 AND accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL
  ORDER BY created_at DESC, id DESC`,
);

const revokeMembership = sql(
  "invites.revokeMembership",
  (s) => `
  UPDATE ${s}.group_membership_invites SET revoked_at = $3, updated_at = $3
  WHERE id = $1 AND permission_group_id = $2 AND accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL`,
);

const insertRegistration = sql(
  "invites.insertRegistration",
  (s) => `
  INSERT INTO ${s}.account_registration_invites (id, email, invited_by, code_hash, expires_at, permission_group_id, role, created_at,
    updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
);

const revokeRegistration = sql(
  "invites.revokeRegistration",
  (s) => `
  UPDATE ${s}.account_registration_invites SET revoked_at = $2, updated_at = $2
  WHERE id = $1 AND revoked_at IS NULL AND consumed_at IS NULL`,
);

interface GroupColumns {
  readonly groupId: string;
  readonly persona: string;
  readonly instanceSlug: string | null;
  readonly displayName: string;
}

export interface LockedLink extends GroupColumns {
  readonly id: string;
  readonly role: string;
  readonly redeemedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly invitedBy: string;
  readonly inviterGone: boolean;
}

export interface ClaimedInvite extends GroupColumns {
  readonly role: string;
}

export const inviteStore = {
  insertLink: (
    on: Queryable,
    link: {
      id: string;
      groupId: string;
      role: string;
      invitedBy: string;
      codeHash: string;
      expiresAt: Date;
      at: Date;
    },
  ) =>
    on.run(insertLink, [
      ...[link.id, link.groupId, link.role, link.invitedBy, link.codeHash, link.expiresAt, link.at],
    ]),
  links: (on: Queryable, groupId: string) => on.rows<InviteLink>(links, [groupId]),
  async revokeLink(on: Queryable, id: string, groupId: string, at: Date): Promise<boolean> {
    return (await on.run(revokeLink, [id, groupId, at])) === 1;
  },
  lockLink: (on: Queryable, codeHash: string, now: Date) => on.row<LockedLink>(lockLink, [codeHash, now]),
  redeemLink: (on: Queryable, id: string, at: Date) => on.run(redeemLink, [id, at]),
  async upsertMembership(
    on: Queryable,
    invite: {
      id: string;
      groupId: string;
      userId: string;
      role: string;
      invitedBy: string;
      expiresAt: Date;
      at: Date;
    },
  ): Promise<string> {
    const { id, groupId, userId, role, invitedBy, expiresAt, at } = invite;
    const values = [id, groupId, userId, role, invitedBy, expiresAt, at];
    return (await on.row<{ id: string }>(upsertMembership, values))?.id ?? id;
  },
  pending: (on: Queryable, userId: string, now: Date) => on.rows<PendingMembership>(pending, [userId, now]),
  claim: (on: Queryable, id: string, userId: string, at: Date) =>
    on.row<ClaimedInvite>(claim, [id, userId, at]),
  async decline(on: Queryable, id: string, userId: string, at: Date): Promise<boolean> {
    return (await on.run(decline, [id, userId, at])) === 1;
  },
  membershipsOf: (on: Queryable, groupId: string) => on.rows<OfferedMembership>(membershipsOf, [groupId]),
  async revokeMembership(on: Queryable, id: string, groupId: string, at: Date): Promise<boolean> {
    return (await on.run(revokeMembership, [id, groupId, at])) === 1;
  },
  insertRegistration: (
    on: Queryable,
    invite: {
      id: string;
      email: string;
      invitedBy: string;
      codeHash: string;
      expiresAt: Date;
      groupId: string | null;
      role: string | null;
      at: Date;
    },
  ) =>
    on.run(insertRegistration, [
      ...[invite.id, invite.email, invite.invitedBy, invite.codeHash, invite.expiresAt],
      ...[invite.groupId, invite.role, invite.at],
    ]),
  async revokeRegistration(on: Queryable, id: string, at: Date): Promise<boolean> {
    return (await on.run(revokeRegistration, [id, at])) === 1;
  },
};
