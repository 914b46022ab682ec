import { lookup, type Queryable, sql } from "../../platform/postgres/port.ts";
import type { GroupMemberRow, GroupRow, MembershipRow, Subject } from "./types.ts";

const groupColumns = `g.id, g.persona, g.instance_slug AS "instanceSlug", g.display_name AS "displayName"`;

const root = lookup(
  "groups.root",
  (s) =>
    `SELECT ${groupColumns} FROM ${s}.permission_groups AS g WHERE g.persona = 'root' AND g.deleted_at IS NULL`,
);

const insertRoot = sql(
  "groups.insertRoot",
  (s) => `
  INSERT INTO ${s}.permission_groups (id, persona, created_at, updated_at) VALUES ($1, 'root', $2, $2)
  ON CONFLICT (persona) WHERE persona = 'root' AND deleted_at IS NULL DO NOTHING`,
);

// A name given up by a rename leads to its group for ever, unless a live group has it.
const bySlug = lookup(
  "groups.bySlug",
  (s) => `
  SELECT ${groupColumns} FROM ${s}.permission_groups AS g
  WHERE g.deleted_at IS NULL AND g.persona = $1 AND (g.instance_slug = $2 OR g.id = (
    SELECT permission_group_id FROM ${s}.permission_group_slug_tombstones WHERE persona = $1 AND slug = $2))
  ORDER BY (g.instance_slug = $2) DESC LIMIT 1`,
);

const lock = sql(
  "groups.lock",
  (s) => `SELECT id FROM ${s}.permission_groups WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE`,
);

const insert = sql(
  "groups.insert",
  (s) => `
  INSERT INTO ${s}.permission_groups (id, persona, parent_id, parent_persona, instance_slug, display_name, created_at, updated_at)
  SELECT $1, $2, $3, $4, $5::text, $6, $7, $7
  WHERE NOT EXISTS (SELECT FROM ${s}.permission_group_slug_tombstones WHERE persona = $2 AND slug = $5::text)`,
);

const members = sql(
  "groups.members",
  (s) => `
  SELECT user_id AS "subjectId", 'user' AS "subjectKind", role FROM ${s}.group_user_roles
  WHERE permission_group_id = $1 AND deleted_at IS NULL
  UNION ALL
  SELECT remote_application_id, 'remote_application', role FROM ${s}.group_remote_application_roles
  WHERE permission_group_id = $1 AND deleted_at IS NULL
  ORDER BY 1, 3`,
);

/** Live assignments of both kinds, as `roles(group_id, role)` of subject $1 of kind $2. */
function heldRoles(s: string): string {
  return `
    SELECT permission_group_id AS group_id, role FROM ${s}.group_user_roles
    WHERE user_id = $1 AND $2::text = 'user' AND deleted_at IS NULL
    UNION ALL
    SELECT permission_group_id, role FROM ${s}.group_remote_application_roles
    WHERE remote_application_id = $1 AND $2::text = 'remote_application' AND deleted_at IS NULL`;
}

const memberships = sql(
  "groups.memberships",
  (s) => `
  WITH held AS (${heldRoles(s)})
  SELECT g.id AS "groupId", g.persona, coalesce(g.instance_slug, '') AS "instanceSlug", g.display_name AS "displayName", held.role
  FROM held JOIN ${s}.permission_groups AS g ON g.id = held.group_id AND g.deleted_at IS NULL
  ORDER BY g.persona, 3, held.role`,
);

const chainRoles = sql(
  "groups.chainRoles",
  (s) => `
  WITH RECURSIVE chain AS (
    SELECT id, persona, parent_id FROM ${s}.permission_groups WHERE id = $3 AND deleted_at IS NULL
    UNION ALL
    SELECT g.id, g.persona, g.parent_id
    FROM chain JOIN ${s}.permission_groups AS g ON g.id = chain.parent_id AND g.deleted_at IS NULL
  ), held AS (${heldRoles(s)})
  SELECT chain.persona, held.role, custom.permissions
  FROM chain JOIN held ON held.group_id = chain.id
  LEFT JOIN ${s}.group_custom_roles AS custom ON custom.permission_group_id = chain.id AND custom.role = held.role
  WHERE $2::text <> 'user' OR EXISTS (
    SELECT FROM ${s}.users AS u
    WHERE u.id = $1 AND u.deleted_at IS NULL AND (u.banned_at IS NULL OR u.banned_until <= $4))
  ORDER BY chain.id`,
);

const customRole = sql(
  "groups.customRole",
  (s) => `
  SELECT role AS name, permissions, requires_mfa AS "requiresMfa" FROM ${s}.group_custom_roles
  WHERE permission_group_id = $1 AND role = $2`,
);

const directRoles = sql(
  "groups.directRoles",
  (s) => `SELECT role FROM (${heldRoles(s)}) AS held WHERE group_id = $3 ORDER BY role`,
);

const clearUserRoles = sql(
  "groups.clearUserRoles",
  (s) => `
  UPDATE ${s}.group_user_roles SET deleted_at = $3, updated_at = $3
  WHERE permission_group_id = $1 AND user_id = $2 AND deleted_at IS NULL
    AND ($4::text IS NULL OR role = $4) AND ($5::text IS NULL OR role <> $5)`,
);

const clearApplicationRoles = sql(
  "groups.clearApplicationRoles",
  (s) => `
  UPDATE ${s}.group_remote_application_roles SET deleted_at = $3, updated_at = $3
  WHERE permission_group_id = $1 AND remote_application_id = $2 AND deleted_at IS NULL
    AND ($4::text IS NULL OR role = $4) AND ($5::text IS NULL OR role <> $5)`,
);

const addUserRole = sql(
  "groups.addUserRole",
  (s) => `
  INSERT INTO ${s}.group_user_roles (permission_group_id, user_id, role, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
  ON CONFLICT (permission_group_id, user_id) WHERE deleted_at IS NULL DO UPDATE SET updated_at = excluded.updated_at`,
);

const addApplicationRole = sql(
  "groups.addApplicationRole",
  (s) => `
  INSERT INTO ${s}.group_remote_application_roles (permission_group_id, remote_application_id, role, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $4)
  ON CONFLICT (permission_group_id, remote_application_id) WHERE deleted_at IS NULL DO UPDATE SET updated_at = excluded.updated_at`,
);

const usableOwners = sql(
  "groups.usableOwners",
  (s) => `
  SELECT r.user_id AS id FROM ${s}.group_user_roles AS r JOIN ${s}.users AS u ON u.id = r.user_id
  WHERE r.permission_group_id = $1 AND r.role = 'owner' AND r.deleted_at IS NULL
    AND u.deleted_at IS NULL AND (u.banned_at IS NULL OR u.banned_until <= $2)
  UNION ALL
  SELECT r.remote_application_id FROM ${s}.group_remote_application_roles AS r
  JOIN ${s}.remote_applications AS a ON a.id = r.remote_application_id
  WHERE r.permission_group_id = $1 AND r.role = 'owner' AND r.deleted_at IS NULL AND a.enabled AND a.deleted_at IS NULL`,
);

const rootRoles = lookup(
  "groups.rootRoles",
  (s) => `
  SELECT r.user_id AS id, array_agg(r.role ORDER BY r.role) AS roles
  FROM ${s}.group_user_roles AS r JOIN ${s}.permission_groups AS g ON g.id = r.permission_group_id
  WHERE g.persona = 'root' AND g.deleted_at IS NULL AND r.deleted_at IS NULL AND r.user_id = ANY ($1::uuid[])
  GROUP BY r.user_id`,
);

export interface ChainRole {
  readonly persona: string;
  readonly role: string;
  /** Of the custom role of that name in that group; null when there is none. */
  readonly permissions: readonly string[] | null;
}

type Id = { readonly id: string };

/** Groups and assignments. Writers of assignments hold the lock of the group's row. */
export const groupStore = {
  root: (on: Queryable) => on.row<GroupRow>(root),
  insertRoot: (on: Queryable, id: string, at: Date) => on.run(insertRoot, [id, at]),
  bySlug: (on: Queryable, persona: string, slug: string) => on.row<GroupRow>(bySlug, [persona, slug]),
  lock: async (on: Queryable, id: string) => (await on.row<Id>(lock, [id])) !== undefined,
  /** False when the name belonged to another group before. Throws a violation when a live group has it. */
  insert: async (on: Queryable, group: GroupRow, parent: GroupRow, at: Date) =>
    (await on.run(insert, [
      group.id,
      group.persona,
      parent.id,
      parent.persona,
      group.instanceSlug,
      group.displayName,
      at,
    ])) > 0,
  members: (on: Queryable, id: string) => on.rows<GroupMemberRow>(members, [id]),
  memberships: (on: Queryable, { id, kind }: Subject) => on.rows<MembershipRow>(memberships, [id, kind]),
  /** Nothing for a user who is banned or deleted. */
  chainRoles: (on: Queryable, { id, kind }: Subject, groupId: string, now: Date) =>
    on.rows<ChainRole>(chainRoles, [id, kind, groupId, now]),
  customRole: (on: Queryable, groupId: string, role: string) =>
    on.row<{ readonly name: string; readonly permissions: readonly string[]; readonly requiresMfa: boolean }>(
      customRole,
      [groupId, role],
    ),
  async directRoles(on: Queryable, { id, kind }: Subject, groupId: string): Promise<string[]> {
    return (await on.rows<{ readonly role: string }>(directRoles, [id, kind, groupId])).map(
      ({ role }) => role,
    );
  },
  /** Ends live assignments: all, only those of a role, or all but those of a role. */
  clearRoles(
    on: Queryable,
    groupId: string,
    subject: Subject,
    which: { readonly only?: string; readonly except?: string },
    at: Date,
  ): Promise<number> {
    const statement = subject.kind === "user" ? clearUserRoles : clearApplicationRoles;
    return on.run(statement, [groupId, subject.id, at, which.only ?? null, which.except ?? null]);
  },
  addRole: (on: Queryable, groupId: string, subject: Subject, role: string, at: Date) =>
    on.run(subject.kind === "user" ? addUserRole : addApplicationRole, [groupId, subject.id, role, at]),
  /** Owners who can act: users neither banned nor deleted, and enabled applications. */
  async usableOwners(on: Queryable, groupId: string, now: Date): Promise<string[]> {
    return (await on.rows<Id>(usableOwners, [groupId, now])).map(({ id }) => id);
  },
  rootRoles: (on: Queryable, userIds: readonly string[]) =>
    on.rows<{ readonly id: string; readonly roles: string[] }>(rootRoles, [userIds]),
};
