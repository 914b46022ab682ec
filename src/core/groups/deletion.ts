import { AuthError } from "../../contract/errors/index.ts";
import { sql } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import { resolveGroup } from "./permissions.ts";
import { groupStore } from "./store.ts";
import type { GroupAddress } from "./types.ts";

/** The group $1 and every group below it, as `doomed(id, persona, slug)`. */
function doomed(s: string): string {
  return `
  RECURSIVE doomed AS (
    SELECT id, persona, instance_slug AS slug, deleted_at FROM ${s}.permission_groups WHERE id = $1
    UNION ALL
    SELECT g.id, g.persona, g.instance_slug, g.deleted_at
    FROM doomed JOIN ${s}.permission_groups AS g ON g.parent_id = doomed.id
  )`;
}

const keepSlugs = sql(
  "groupDeletion.keepSlugs",
  (s) => `
  WITH ${doomed(s)}
  INSERT INTO ${s}.permission_group_slug_tombstones (persona, slug, permission_group_id, created_at)
  SELECT persona, slug, id, $2 FROM doomed WHERE deleted_at IS NULL ON CONFLICT (persona, slug) DO NOTHING`,
);

const releaseSlugs = sql(
  "groupDeletion.releaseSlugs",
  (s) => `
  WITH ${doomed(s)}
  DELETE FROM ${s}.permission_group_slug_tombstones WHERE permission_group_id IN (SELECT id FROM doomed)`,
);

const count = sql(
  "groupDeletion.count",
  (s) => `WITH ${doomed(s)} SELECT count(*)::int AS groups FROM doomed WHERE deleted_at IS NULL`,
);

const remove = sql("groupDeletion.remove", (s) => `DELETE FROM ${s}.permission_groups WHERE id = $1`);

/** Removal of groups for good. */
export interface GroupDeletion {
  /**
   * Removes a group with its members' roles, invites, API keys, applications and the groups below it; addressed by the slug of now. Their
   * slugs, former ones too, stay taken for ever unless `releaseSlugs`. Throws `invalid_request` for the root group,
   * `permission_group_not_found`.
   */
  remove(
    address: GroupAddress,
    options: { readonly releaseSlugs: boolean },
    context: CallContext,
  ): Promise<void>;
}

export function createGroupDeletion(
  platform: Pick<Platform, "database" | "clock">,
  audit: Audit,
): GroupDeletion {
  const { database, clock } = platform;

  return {
    async remove(address, { releaseSlugs: release }, context) {
      if (address.persona.trim() === "root") throw new AuthError("invalid_request");
      const { id, persona, instanceSlug } = await resolveGroup(database, address);
      // A slug given up leads here for reading; whoever deletes has to know what the group is called now.
      if (address.instanceSlug.trim() !== instanceSlug) throw new AuthError("permission_group_not_found");
      await database.transaction(async (tx) => {
        if (!(await groupStore.lock(tx, id))) throw new AuthError("permission_group_not_found");
        const groups = (await tx.row<{ readonly groups: number }>(count, [id]))?.groups ?? 0;
        if (release) await tx.run(releaseSlugs, [id]);
        else await tx.run(keepSlugs, [id, clock.now()]);
        await tx.run(remove, [id]);
        const details = { persona, slug: instanceSlug, groups, released: release };
        await audit.record(
          { action: "group.deleted", target: `group:${id}`, outcome: "ok", details },
          context,
          tx,
        );
      });
    },
  };
}
