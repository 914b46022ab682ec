import { lookup } from "../../platform/postgres/port.ts";

/** All that `/me` shows, in one round trip. */
export interface ProfileRow {
  readonly id: string;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly username: string | null;
  readonly emailVerified: boolean;
  readonly phoneVerified: boolean;
  readonly biography: string | null;
  readonly avatarUrl: string | null;
  readonly preferredLanguage: string | null;
  readonly createdAt: Date;
  readonly hasPassword: boolean;
  readonly providers: readonly {
    readonly id: string;
    readonly slug: string | null;
    readonly issuer: string;
    readonly subject: string;
    readonly profile: unknown;
    readonly createdAt: string;
  }[];
  readonly roles: readonly string[];
  readonly aliases: readonly string[];
  readonly mfaEnabled: boolean;
  readonly factors: readonly {
    readonly id: string;
    readonly method: "email" | "sms" | "totp";
    readonly isDefault: boolean;
    readonly phoneNumber: string | null;
  }[];
  readonly renamedAt: Date | null;
}

export const profileOf = lookup(
  "profile.read",
  (s) => `
    SELECT u.id, u.email::text AS email, u.phone_number AS "phoneNumber", u.username::text AS username,
           u.email_verified AS "emailVerified", u.phone_verified AS "phoneVerified", u.biography,
           u.avatar_url AS "avatarUrl", u.preferred_language AS "preferredLanguage", u.created_at AS "createdAt",
           EXISTS (SELECT FROM ${s}.user_passwords p WHERE p.user_id = u.id) AS "hasPassword",
           COALESCE((SELECT jsonb_agg(jsonb_build_object('id', l.id, 'slug', l.provider_slug, 'issuer', l.issuer, 'subject', l.subject,
                                                         'profile', l.profile, 'createdAt', l.created_at) ORDER BY l.created_at)
                       FROM ${s}.user_providers l WHERE l.user_id = u.id), '[]') AS providers,
           COALESCE((SELECT array_agg(DISTINCT r.role ORDER BY r.role)
                       FROM ${s}.group_user_roles r JOIN ${s}.permission_groups g ON g.id = r.permission_group_id
                      WHERE r.user_id = u.id AND r.deleted_at IS NULL AND g.persona = 'root' AND g.deleted_at IS NULL),
                    '{}') AS roles,
           COALESCE((SELECT array_agg(DISTINCT n.from_slug ORDER BY n.from_slug)
                       FROM ${s}.user_renames n WHERE n.user_id = u.id), '{}') AS aliases,
           COALESCE((SELECT m.enabled FROM ${s}.mfa_settings m WHERE m.user_id = u.id), false) AS "mfaEnabled",
           COALESCE((SELECT jsonb_agg(jsonb_build_object('id', f.id, 'method', f.method, 'isDefault', f.is_default,
                                                         'phoneNumber', f.phone_number) ORDER BY f.is_default DESC, f.created_at)
                       FROM ${s}.mfa_factors f WHERE f.user_id = u.id), '[]') AS factors,
           (SELECT max(n.renamed_at) FROM ${s}.user_renames n WHERE n.user_id = u.id) AS "renamedAt"
      FROM ${s}.users u
     WHERE u.id = $1 AND u.deleted_at IS NULL`,
);
