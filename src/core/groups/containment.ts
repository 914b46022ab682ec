import { type Queryable, sql } from "../../platform/postgres/port.ts";
import type { Platform } from "../platform.ts";
import { createCatalogue } from "./catalogue.ts";
import { groupStore } from "./store.ts";
import type { Catalogue } from "./types.ts";

const seed = sql(
  "groups.seedContainment",
  (s) => `
  WITH gone AS (
    DELETE FROM ${s}.group_persona_parents WHERE persona <> ALL ($1::text[])
  )
  INSERT INTO ${s}.group_persona_parents (persona, parent_persona)
  SELECT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (persona) DO UPDATE SET parent_persona = excluded.parent_persona
  WHERE group_persona_parents.parent_persona <> excluded.parent_persona`,
);

const stored = sql(
  "groups.storedRoles",
  (s) => `
  SELECT 'group_user_roles' AS kind, g.persona, r.role, c.role IS NOT NULL AS custom, count(*) AS held
  FROM ${s}.group_user_roles AS r JOIN ${s}.permission_groups AS g ON g.id = r.permission_group_id
  LEFT JOIN ${s}.group_custom_roles AS c ON c.permission_group_id = g.id AND c.role = r.role
  WHERE r.deleted_at IS NULL AND g.deleted_at IS NULL GROUP BY 2, 3, 4
  UNION ALL
  SELECT 'api_keys', g.persona, k.role, c.role IS NOT NULL, count(*)
  FROM ${s}.api_keys AS k JOIN ${s}.permission_groups AS g ON g.id = k.permission_group_id
  LEFT JOIN ${s}.group_custom_roles AS c ON c.permission_group_id = g.id AND c.role = k.role
  WHERE k.revoked_at IS NULL GROUP BY 2, 3, 4
  UNION ALL
  SELECT 'group_custom_roles', g.persona, r.role, true, count(*)
  FROM ${s}.group_custom_roles AS r JOIN ${s}.permission_groups AS g ON g.id = r.permission_group_id GROUP BY 2, 3
  UNION ALL
  SELECT 'group_remote_application_roles', g.persona, r.role, c.role IS NOT NULL, count(*)
  FROM ${s}.group_remote_application_roles AS r JOIN ${s}.permission_groups AS g ON g.id = r.permission_group_id
  LEFT JOIN ${s}.group_custom_roles AS c ON c.permission_group_id = g.id AND c.role = r.role
  WHERE r.deleted_at IS NULL AND g.deleted_at IS NULL GROUP BY 2, 3, 4`,
);

interface StoredRole {
  readonly kind: string;
  readonly persona: string;
  readonly role: string;
  readonly custom: boolean;
  readonly held: number;
}

/** Brings the stored pairs of persona and parent in line with the declared ones; a trigger lets in groups of these pairs only. */
export async function seedContainment(on: Queryable, catalogue: Catalogue): Promise<void> {
  const below = catalogue.personas.filter(({ name }) => name !== "root");
  await on.run(seed, [below.map(({ name }) => name), below.map(({ parent }) => parent)]);
}

/** Warns of stored roles that the declared schema does not know: they confer nothing, and nothing is deleted. */
export async function reportDrift(
  platform: Pick<Platform, "database" | "log">,
  catalogue: Catalogue,
): Promise<void> {
  const drift: Record<string, number> = {
    group_user_roles: 0,
    group_custom_roles: 0,
    api_keys: 0,
    group_remote_application_roles: 0,
  };
  for (const row of await platform.database.rows<StoredRole>(stored)) {
    const persona = catalogue.persona(row.persona);
    const custom = row.custom && persona?.customRoles === true;
    const declared = row.kind !== "group_custom_roles" && catalogue.role(row.persona, row.role) !== undefined;
    if (!custom && !declared) drift[row.kind] = (drift[row.kind] ?? 0) + row.held;
  }
  if (Object.values(drift).some((count) => count > 0)) platform.log.warn(drift, "rbac drift");
}

/** What has to be there before the first request: the root group, and the declared pairs of persona and parent. Idempotent. */
export async function prepareGroups(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "log">,
): Promise<void> {
  const { config, database, clock, random } = platform;
  const catalogue = createCatalogue(config.personas);
  await groupStore.insertRoot(database, random.uuid(), clock.now());
  await seedContainment(database, catalogue);
  await reportDrift(platform, catalogue);
}
