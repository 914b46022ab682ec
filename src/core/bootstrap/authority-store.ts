import { type Queryable, sql } from "../../platform/postgres/port.ts";

const insertRoot = sql(
  "bootstrap.insertRoot",
  (s) => `
  INSERT INTO ${s}.permission_groups (id, persona, created_at, updated_at) VALUES ($1, 'root', $2, $2)
  ON CONFLICT (persona) WHERE persona = 'root' AND deleted_at IS NULL DO NOTHING`,
);

const seedContainment = sql(
  "bootstrap.seedContainment",
  (s) => `
  INSERT INTO ${s}.group_persona_parents AS stored (persona, parent_persona)
  SELECT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (persona) DO UPDATE SET parent_persona = excluded.parent_persona
  WHERE stored.parent_persona <> excluded.parent_persona`,
);

const rootHasOwner = sql(
  "bootstrap.rootHasOwner",
  (s) => `
  SELECT EXISTS (
    SELECT 1 FROM ${s}.permission_groups AS g
    JOIN ${s}.group_user_roles AS r ON r.permission_group_id = g.id AND r.role = 'owner' AND r.deleted_at IS NULL
    JOIN ${s}.users AS u ON u.id = r.user_id AND u.deleted_at IS NULL
    WHERE g.persona = 'root' AND g.deleted_at IS NULL AND (u.banned_at IS NULL OR u.banned_until <= $1)
  ) AS "owned"`,
);

/** Held until the transaction ends, so that no role is given in a group that goes meanwhile. */
const findGroup = sql(
  "bootstrap.findGroup",
  (s) => `
  SELECT id FROM ${s}.permission_groups
  WHERE persona = $1 AND deleted_at IS NULL AND ($1 = 'root' OR instance_slug = $2)
  FOR NO KEY UPDATE`,
);

const customRole = sql(
  "bootstrap.customRole",
  (s) => `
  SELECT requires_mfa AS "requiresMfa" FROM ${s}.group_custom_roles WHERE permission_group_id = $1 AND role = $2`,
);

const findApplication = sql(
  "bootstrap.findApplication",
  (s) => `SELECT id FROM ${s}.remote_applications WHERE slug = $1 AND deleted_at IS NULL`,
);

const hasFactor = sql(
  "bootstrap.hasFactor",
  (s) => `
  SELECT EXISTS (SELECT 1 FROM ${s}.mfa_settings WHERE user_id = $1 AND enabled) AS "enrolled"`,
);

/** The row of the other role is kept as history, as when a role is taken away by hand. */
function setRole(s: string, table: string, column: string): string {
  return `
  WITH same AS (
    SELECT 1 FROM ${s}.${table} WHERE permission_group_id = $1 AND ${column} = $2 AND role = $3 AND deleted_at IS NULL
  ), changed AS (
    INSERT INTO ${s}.${table} AS stored (permission_group_id, ${column}, role, created_at, updated_at)
    SELECT $1, $2, $3, $4, $4 WHERE NOT EXISTS (SELECT FROM same)
    ON CONFLICT (permission_group_id, ${column}) WHERE deleted_at IS NULL
      DO UPDATE SET role = excluded.role, updated_at = excluded.updated_at
    RETURNING 1
  )
  SELECT count(*)::int AS "changed" FROM changed`;
}

const setUserRole = sql("bootstrap.setUserRole", (s) => setRole(s, "group_user_roles", "user_id"));
const setApplicationRole = sql("bootstrap.setApplicationRole", (s) =>
  setRole(s, "group_remote_application_roles", "remote_application_id"),
);

type Id = { readonly id: string };

export const authorityStore = {
  insertRoot: (on: Queryable, id: string, at: Date) => on.run(insertRoot, [id, at]),
  seedContainment: (on: Queryable, personas: readonly string[], parents: readonly string[]) =>
    on.run(seedContainment, [[...personas], [...parents]]),
  async rootHasOwner(on: Queryable, at: Date): Promise<boolean> {
    return (await on.row<{ readonly owned: boolean }>(rootHasOwner, [at]))?.owned === true;
  },
  async findGroup(on: Queryable, persona: string, slug: string): Promise<string | undefined> {
    return (await on.row<Id>(findGroup, [persona, slug]))?.id;
  },
  customRole: (on: Queryable, groupId: string, role: string) =>
    on.row<{ readonly requiresMfa: boolean }>(customRole, [groupId, role]),
  async findApplication(on: Queryable, slug: string): Promise<string | undefined> {
    return (await on.row<Id>(findApplication, [slug]))?.id;
  },
  async hasFactor(on: Queryable, userId: string): Promise<boolean> {
    return (await on.row<{ readonly enrolled: boolean }>(hasFactor, [userId]))?.enrolled === true;
  },
  async setRole(
    on: Queryable,
    kind: "user" | "remote_application",
    groupId: string,
    subjectId: string,
    role: string,
    at: Date,
  ): Promise<boolean> {
    const statement = kind === "user" ? setUserRole : setApplicationRole;
    const row = await on.row<{ readonly changed: number }>(statement, [groupId, subjectId, role, at]);
    return (row?.changed ?? 0) > 0;
  },
};
