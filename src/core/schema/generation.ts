import { type Queryable, sql } from "../../platform/postgres/port.ts";

/**
 * Which generation of the contract made the tables of a schema: `none` = there are no such tables, `unknown` = there is a
 * `users` table of neither shape.
 */
export type Generation = "none" | "0.73" | "0.97" | "unknown";

const traits = sql(
  "schema.generationTraits",
  () => `
  SELECT
    EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'users') AS users,
    EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'owner_reserved_names') AS reserved,
    EXISTS (SELECT FROM information_schema.columns
      WHERE table_schema = $1 AND table_name = 'group_invite_links' AND column_name = 'uses') AS uses,
    EXISTS (SELECT FROM information_schema.columns
      WHERE table_schema = $1 AND table_name = 'group_invite_links' AND column_name = 'redeemed_at') AS redeemed`,
);

/** Looks at the catalog: the contract's own ledger tells the two generations not apart. */
export async function detectGeneration(on: Queryable, schema: string): Promise<Generation> {
  const found = await on.row<{ users: boolean; reserved: boolean; uses: boolean; redeemed: boolean }>(
    traits,
    [schema],
  );
  if (found === undefined || !found.users) return "none";
  if (found.redeemed && !found.uses) return "0.97";
  if (found.reserved && found.uses && !found.redeemed) return "0.73";
  return "unknown";
}
