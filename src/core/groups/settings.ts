import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation, sql } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/index.ts";
import { isSlug } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { isDisplayName, resolveGroup } from "./permissions.ts";
import { groupStore } from "./store.ts";
import type { GroupAddress, GroupRow } from "./types.ts";

const rename = sql(
  "groupSettings.rename",
  (s) => `
  WITH kept AS (
    INSERT INTO ${s}.permission_group_slug_tombstones (persona, slug, permission_group_id, created_at)
    SELECT persona, instance_slug, id, $4 FROM ${s}.permission_groups WHERE id = $1
    ON CONFLICT (persona, slug) DO NOTHING
  ), returned AS (
    DELETE FROM ${s}.permission_group_slug_tombstones WHERE persona = $3 AND slug = $2 AND permission_group_id = $1
  )
  UPDATE ${s}.permission_groups SET instance_slug = $2, updated_at = $4 WHERE id = $1`,
);

const reserved = sql(
  "groupSettings.reserved",
  (s) => `
  SELECT 1 AS one FROM ${s}.permission_group_slug_tombstones WHERE persona = $1 AND slug = $2 AND permission_group_id <> $3`,
);

const managed = sql(
  "groupSettings.managed",
  (s) => `
  SELECT 1 AS one FROM ${s}.remote_applications WHERE permission_group_id = $1 AND domain <> '' AND slug = $2`,
);

const setDisplayName = sql(
  "groupSettings.setDisplayName",
  (s) => `UPDATE ${s}.permission_groups SET display_name = $2, updated_at = $3 WHERE id = $1`,
);

/** Name and slug of a group. */
export interface GroupSettings {
  /**
   * Changes what is given, in one transaction; a rename is of the group that has the slug now. A slug given up stays this group's for ever and leads to it. Throws `group_slug_invalid`,
   * `group_slug_taken`, `group_slug_application_managed`, `invalid_request`, `permission_group_not_found`.
   */
  update(
    address: GroupAddress,
    change: { readonly slug?: string | undefined; readonly displayName?: string | undefined },
    context: CallContext,
  ): Promise<GroupRow>;
}

export function createGroupSettings(
  platform: Pick<Platform, "database" | "clock">,
  audit: Audit,
): GroupSettings {
  const { database, clock } = platform;

  return {
    async update(address, change, context) {
      const slug = change.slug?.trim().toLowerCase();
      const displayName = change.displayName?.trim();
      if (slug !== undefined && !isSlug(slug)) throw new AuthError("group_slug_invalid");
      if (displayName !== undefined && !isDisplayName(displayName)) throw new AuthError("invalid_request");
      const group = await resolveGroup(database, address);
      if (group.instanceSlug === null) throw new AuthError("invalid_request");
      // A slug given up leads here for reading; whoever renames has to know where the group is now.
      if (slug !== undefined && address.instanceSlug.trim() !== group.instanceSlug)
        throw new AuthError("permission_group_not_found");
      const { id, persona, instanceSlug } = group;
      try {
        await database.transaction(async (tx) => {
          if (!(await groupStore.lock(tx, id))) throw new AuthError("permission_group_not_found");
          const at = clock.now();
          if (slug !== undefined && slug !== instanceSlug) {
            if ((await tx.row(managed, [id, instanceSlug])) !== undefined)
              throw new AuthError("group_slug_application_managed");
            if ((await tx.row(reserved, [persona, slug, id])) !== undefined)
              throw new AuthError("group_slug_taken");
            await tx.run(rename, [id, slug, persona, at]);
          }
          if (displayName !== undefined) await tx.run(setDisplayName, [id, displayName, at]);
          const details = {
            ...(slug === undefined ? {} : { from: instanceSlug, slug }),
            ...(displayName === undefined ? {} : { displayName }),
          };
          const target = `group:${id}`;
          await audit.record({ action: "group.updated", target, outcome: "ok", details }, context, tx);
        });
      } catch (error) {
        if (error instanceof ConstraintViolation && error.kind === "unique")
          throw new AuthError("group_slug_taken", { cause: error });
        throw error;
      }
      return {
        ...group,
        instanceSlug: slug ?? instanceSlug,
        displayName: displayName ?? group.displayName,
      };
    },
  };
}
