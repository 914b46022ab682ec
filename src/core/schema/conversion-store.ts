import { type Queryable, script, sql, type Transaction } from "../../platform/postgres/port.ts";
import type { Generation } from "./generation.ts";
import { quote } from "./reconcile.ts";

/** What only the earlier generation has and the merged shape says otherwise. */
const leaveEarlier = script(
  "schema.leaveEarlierGeneration",
  (s) => `
  ALTER TABLE ${s}.group_invite_links ADD COLUMN redeemed_at timestamptz;
  UPDATE ${s}.group_invite_links SET redeemed_at = updated_at WHERE uses > 0;
  ALTER TABLE ${s}.group_invite_links DROP COLUMN uses;
  DROP TABLE ${s}.owner_reserved_names`,
);

/** Of several live roles of one subject in a group `owner` stays, else the one given last. */
function keepOneRole(s: string, table: string, subject: string): string {
  return `
  UPDATE ${s}.${table} AS r SET deleted_at = now(), updated_at = now()
  FROM (
    SELECT ctid, row_number() OVER (
      PARTITION BY permission_group_id, ${subject} ORDER BY (role = 'owner') DESC, updated_at DESC, role
    ) AS place
    FROM ${s}.${table} WHERE deleted_at IS NULL
  ) AS ranked
  WHERE r.ctid = ranked.ctid AND ranked.place > 1;`;
}

/** Values of the columns the other generation lacked. */
const fillColumns = script(
  "schema.fillAdoptedColumns",
  (s) => `
  UPDATE ${s}.permission_groups AS g SET parent_persona = p.persona
  FROM ${s}.permission_groups AS p WHERE p.id = g.parent_id AND g.parent_persona IS NULL;
  UPDATE ${s}.user_passkeys SET
    user_present = user_present OR (get_byte(flags, 0) & 1) = 1,
    user_verified = user_verified OR (get_byte(flags, 0) & 4) = 4
  WHERE length(flags) > 0;
  UPDATE ${s}.user_passkey_handles AS h SET rpid = p.rpid
  FROM (SELECT DISTINCT ON (user_id) user_id, rpid FROM ${s}.user_passkeys ORDER BY user_id, created_at) AS p
  WHERE p.user_id = h.user_id AND h.rpid = '';
  ${keepOneRole(s, "group_user_roles", "user_id")}
  ${keepOneRole(s, "group_remote_application_roles", "remote_application_id")}`,
);

const hashAlgorithms = sql(
  "schema.countHashAlgorithms",
  (s) =>
    `SELECT hash_algo AS algorithm, count(*) AS passwords FROM ${s}.user_passwords GROUP BY hash_algo ORDER BY hash_algo`,
);

const duplicateEmails = sql(
  "schema.countDuplicateEmails",
  (s) => `
  SELECT count(*) AS found FROM (
    SELECT FROM ${s}.users WHERE email IS NOT NULL GROUP BY lower(email::text) HAVING count(*) > 1
  ) AS d`,
);

const manyRoles = sql(
  "schema.countManyRoles",
  (s) => `
  SELECT count(*) AS found FROM (
    SELECT FROM ${s}.group_user_roles WHERE deleted_at IS NULL GROUP BY permission_group_id, user_id HAVING count(*) > 1
  ) AS d`,
);

const badInviteRoles = sql(
  "schema.countBadInviteRoles",
  (s) => `SELECT count(*) AS found FROM ${s}.group_membership_invites WHERE role !~ '^[a-z][a-z0-9-]*$'`,
);

const reservedNames = sql(
  "schema.listReservedNames",
  (s) => `
  SELECT slug FROM ${s}.owner_reserved_names WHERE slug NOT IN ('admin', 'superuser', 'root', 'sudo') ORDER BY slug`,
);

async function found(on: Queryable, statement: Parameters<Queryable["row"]>[0]): Promise<number> {
  return (await on.row<{ found: number }>(statement))?.found ?? 0;
}

export const conversionStore = {
  /** Steps before the shape is extended. */
  async prepare(tx: Transaction, generation: Generation): Promise<void> {
    if (generation === "0.73") await tx.run(leaveEarlier);
  },

  /** Steps once all columns exist and before rules and indexes are settled. */
  async fill(tx: Transaction): Promise<void> {
    await tx.run(fillColumns);
  },

  /** Keeps everybody else out of the tables until the transaction ends. */
  async lockTables(tx: Transaction, tables: readonly string[]): Promise<void> {
    await tx.run(
      script(
        "schema.lockTables",
        (s) =>
          `LOCK TABLE ${tables.map((name) => `${s}.${quote(name)}`).join(", ")} IN ACCESS EXCLUSIVE MODE`,
      ),
    );
  },

  async rowCounts(on: Queryable, tables: readonly string[]): Promise<Record<string, number>> {
    if (tables.length === 0) return {};
    const counts = await on.rows<{ name: string; count: number }>(
      script("schema.countRows", (s) =>
        tables
          .map(
            (name) =>
              `SELECT '${name.replaceAll("'", "''")}' AS name, count(*) AS count FROM ${s}.${quote(name)}`,
          )
          .join(" UNION ALL "),
      ),
    );
    return Object.fromEntries(counts.map(({ name, count }) => [name, count]));
  },

  hashAlgorithms: (on: Queryable): Promise<{ algorithm: string; passwords: number }[]> =>
    on.rows(hashAlgorithms),
  duplicateEmails: (on: Queryable): Promise<number> => found(on, duplicateEmails),
  manyRoles: (on: Queryable): Promise<number> => found(on, manyRoles),
  badInviteRoles: (on: Queryable): Promise<number> => found(on, badInviteRoles),

  async reservedNames(on: Queryable): Promise<string[]> {
    return (await on.rows<{ slug: string }>(reservedNames)).map(({ slug }) => slug);
  },
};
