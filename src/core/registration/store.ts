import { type Queryable, sql } from "../../platform/postgres/port.ts";

const liveInvite = sql(
  "registration.liveInvite",
  (s) => `
  SELECT 1 AS one FROM ${s}.account_registration_invites
  WHERE code_hash = $1 AND consumed_at IS NULL AND revoked_at IS NULL AND expires_at > $2`,
);

// The conditions are on the row that is written: of two redemptions at once the second waits for the first and then finds it consumed.
const consumeInviteRow = sql(
  "registration.consumeInvite",
  (s) => `
  WITH invite AS (
    UPDATE ${s}.account_registration_invites SET consumed_at = $3, consumed_by = $2, updated_at = $3
    WHERE code_hash = $1 AND consumed_at IS NULL AND revoked_at IS NULL AND expires_at > $3
    RETURNING id, permission_group_id, role
  ), assigned AS (
    INSERT INTO ${s}.group_user_roles (permission_group_id, user_id, role, created_at, updated_at)
    SELECT g.id, $2, invite.role, $3, $3
    FROM invite JOIN ${s}.permission_groups AS g ON g.id = invite.permission_group_id AND g.deleted_at IS NULL
    RETURNING permission_group_id
  )
  SELECT invite.id, invite.role, assigned.permission_group_id AS "groupId" FROM invite LEFT JOIN assigned ON true`,
);

const inviteState = sql(
  "registration.inviteState",
  (s) => `
  SELECT CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN consumed_at IS NOT NULL THEN 'consumed' ELSE 'expired' END AS state
  FROM ${s}.account_registration_invites WHERE code_hash = $1`,
);

/** An invite that has been used up, and the role it brought. */
export interface ConsumedInvite {
  readonly id: string;
  readonly role: string | null;
  /** Null when it carries no role, or its group is gone. */
  readonly groupId: string | null;
}

export const registrationStore = {
  async inviteIsLive(on: Queryable, codeHash: string, now: Date): Promise<boolean> {
    return (await on.row(liveInvite, [codeHash, now])) !== undefined;
  },
  /** Why an invite could not be consumed; undefined when there is none. */
  async whyDead(on: Queryable, codeHash: string): Promise<"revoked" | "consumed" | "expired" | undefined> {
    return (await on.row<{ readonly state: "revoked" | "consumed" | "expired" }>(inviteState, [codeHash]))
      ?.state;
  },
  consumeInvite: (on: Queryable, codeHash: string, userId: string, at: Date) =>
    on.row<ConsumedInvite>(consumeInviteRow, [codeHash, userId, at]),
};

/** Uses an account invite up. Undefined when it is unknown, revoked, expired or was used by somebody else. */
export const consumeInvite = registrationStore.consumeInvite;
export type ConsumeInvite = typeof consumeInvite;
