import { AuthError } from "../../contract/errors/index.ts";
import { type Queryable, sql } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/index.ts";
import { covered } from "../authentication/permission-cover.ts";
import type { CallContext, Platform } from "../platform.ts";
import { effectiveGrants, resolveGroup } from "./permissions.ts";
import { groupStore } from "./store.ts";
import type { Catalogue, GroupAddress, RoleDefinition } from "./types.ts";

const upsert = sql(
  "customRoles.upsert",
  (s) => `
  INSERT INTO ${s}.group_custom_roles (permission_group_id, role, permissions, requires_mfa, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $5)
  ON CONFLICT (permission_group_id, role) DO UPDATE SET permissions = excluded.permissions,
    requires_mfa = excluded.requires_mfa, updated_at = excluded.updated_at`,
);
const remove = sql(
  "customRoles.remove",
  (s) => `DELETE FROM ${s}.group_custom_roles WHERE permission_group_id = $1 AND role = $2`,
);
const list = sql(
  "customRoles.list",
  (s) => `
  SELECT role AS name, permissions, requires_mfa AS "requiresMfa" FROM ${s}.group_custom_roles
  WHERE permission_group_id = $1 ORDER BY role`,
);

const roleName = /^[a-z][a-z0-9-]*$/;

/** Roles a group defines for itself out of what its persona may grant. */
export interface CustomRoles {
  list(address: GroupAddress): Promise<RoleDefinition[]>;
  /**
   * Creates or replaces a role; its holders have the new grants at once. The actor must manage roles and hold every grant of the old and the new
   * role. Throws `custom_roles_not_supported`, `custom_role_name_invalid`, `custom_role_is_catalog_role`, `custom_role_grant_outside_catalog`,
   * `insufficient_role_authority`, `role_assignment_escalation`, `permission_group_not_found`.
   */
  define(
    actorUserId: string,
    address: GroupAddress,
    role: RoleDefinition,
    context: CallContext,
  ): Promise<void>;
  /** Also a success when there is none. Whoever was given it holds nothing by it any more. */
  remove(actorUserId: string, address: GroupAddress, role: string, context: CallContext): Promise<void>;
}

export function createCustomRoles(
  platform: Pick<Platform, "database" | "clock">,
  catalogue: Catalogue,
  audit: Audit,
): CustomRoles {
  const { database, clock } = platform;

  async function assertCoversAll(
    on: Queryable,
    actorUserId: string,
    groupId: string,
    persona: string,
    grants: readonly string[],
  ): Promise<void> {
    const held = await effectiveGrants(
      on,
      catalogue,
      { id: actorUserId, kind: "user" },
      groupId,
      clock.now(),
    );
    if (!covered(held, `${persona}:roles:manage`)) throw new AuthError("insufficient_role_authority");
    if (!grants.every((grant) => covered(held, grant))) throw new AuthError("role_assignment_escalation");
  }

  async function change(
    actorUserId: string,
    address: GroupAddress,
    name: string,
    next: RoleDefinition | undefined,
    context: CallContext,
  ): Promise<void> {
    const persona = catalogue.persona(address.persona.trim());
    if (persona?.customRoles !== true) throw new AuthError("custom_roles_not_supported");
    const group = await resolveGroup(database, address);
    await database.transaction(async (tx) => {
      if (!(await groupStore.lock(tx, group.id))) throw new AuthError("permission_group_not_found");
      // What is stored, also under a name that its persona has come to declare since.
      const present = await groupStore.customRole(tx, group.id, name);
      const grants = [...(present?.permissions ?? []), ...(next?.permissions ?? [])];
      await assertCoversAll(tx, actorUserId, group.id, group.persona, grants);
      if (next === undefined) {
        if ((await tx.run(remove, [group.id, name])) === 0) return;
      } else {
        await tx.run(upsert, [group.id, name, next.permissions, next.requiresMfa, clock.now()]);
      }
      await audit.record(
        {
          action: next === undefined ? "custom_role.deleted" : "custom_role.stored",
          target: `group:${group.id}`,
          outcome: "ok",
          details: { role: name, ...(next === undefined ? {} : { permissions: next.permissions }) },
        },
        context,
        tx,
      );
    });
  }

  return {
    async list(address) {
      if (catalogue.persona(address.persona.trim())?.customRoles !== true) return [];
      return database.rows<RoleDefinition>(list, [(await resolveGroup(database, address)).id]);
    },

    async define(actorUserId, address, role, context) {
      const persona = address.persona.trim();
      const name = role.name.trim();
      const permissions = [...new Set(role.permissions.map((grant) => grant.trim()))];
      if (!roleName.test(name) || name.length > 64) throw new AuthError("custom_role_name_invalid");
      if (catalogue.role(persona, name) !== undefined) throw new AuthError("custom_role_is_catalog_role");
      const universe = new Set(catalogue.persona(persona)?.universe ?? []);
      if (!permissions.every((grant) => universe.has(grant)))
        throw new AuthError("custom_role_grant_outside_catalog");
      await change(actorUserId, address, name, { name, permissions, requiresMfa: role.requiresMfa }, context);
    },

    async remove(actorUserId, address, role, context) {
      await change(actorUserId, address, role.trim(), undefined, context);
    },
  };
}
