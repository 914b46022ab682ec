import type { Config } from "../../config/config.ts";
import { type MfaGate, mfaEnrolled, mfaGate } from "../mfa/states.ts";
import type { AccessState } from "../users/access.ts";

/** What the gates of a session need to know of its account; read together with the session, never by itself. */
export interface SubjectRow extends AccessState {
  readonly userId: string;
  /** Row version; changes with every update of the account. */
  readonly version: string;
  readonly mfaEnabled: boolean;
  readonly mfaFactors: number;
  readonly roleDemandsMfa: boolean;
}

/**
 * Select list and joins of a {@link SubjectRow} over `users AS u`. `roles` is the parameter holding `persona:role` of every declared role
 * that demands a second factor; stored roles with the flag count as well. The roles are a scalar query with a limit and free of partial
 * indexes' conditions, so that they are looked up by user whatever the statistics say.
 */
export function subjectColumns(s: string, roles: string): string {
  return `
    u.id AS "userId", u.xmin::text AS version, u.deleted_at AS "deletedAt",
    coalesce(u.metadata -> 'reserved' = 'true'::jsonb, false) AS reserved,
    u.banned_at AS "bannedAt", u.banned_until AS "bannedUntil", u.ban_reason AS "banReason", u.banned_by AS "bannedBy",
    coalesce(m.enabled, false) AS "mfaEnabled",
    CASE WHEN m.enabled THEN (SELECT count(*)::int FROM ${s}.mfa_factors AS f WHERE f.user_id = u.id) ELSE 0 END AS "mfaFactors",
    CASE WHEN m.enabled THEN false ELSE coalesce((
      SELECT true FROM ${s}.group_user_roles AS r
      JOIN ${s}.permission_groups AS g ON g.id = r.permission_group_id
      LEFT JOIN ${s}.group_custom_roles AS c ON c.permission_group_id = g.id AND c.role = r.role
      WHERE r.user_id = u.id AND num_nulls(r.deleted_at, g.deleted_at) = 2
        AND (g.persona || ':' || r.role = ANY (${roles}::text[]) OR c.requires_mfa)
      LIMIT 1
    ), false) END AS "roleDemandsMfa"`;
}

export function subjectJoins(s: string): string {
  return `LEFT JOIN ${s}.mfa_settings AS m ON m.user_id = u.id`;
}

/** `persona:role` of every declared role that demands a second factor. */
export function rolesDemandingMfa(config: Config): string[] {
  return config.personas.flatMap((persona) =>
    persona.roles.filter((role) => role.requiresMfa).map((role) => `${persona.name}:${role.name}`),
  );
}

/** The second-factor gate of a subject for a session that proved `methods`. */
export function subjectMfaGate(config: Config, subject: SubjectRow, methods: readonly string[]): MfaGate {
  const { mfaEnabled: enabled, mfaFactors: factors, roleDemandsMfa } = subject;
  const { mode, passkeyCounts } = config.mfa;
  return mfaGate(mode, { enabled, factors, roleDemandsMfa }, methods, passkeyCounts);
}

export function subjectMfaEnrolled(
  config: Config,
  subject: Pick<SubjectRow, "mfaEnabled" | "mfaFactors">,
): boolean {
  return mfaEnrolled(config.mfa.mode, { enabled: subject.mfaEnabled, factors: subject.mfaFactors });
}
