import { AuthError } from "../../contract/errors/index.ts";
import type { Queryable } from "../../platform/postgres/port.ts";
import { covered } from "../authentication/permission-cover.ts";
import { isSlug, isStorable, isUuid } from "../identifiers/index.ts";
import { groupStore } from "./store.ts";
import type { Capability, Catalogue, GroupAddress, GroupRow, RoleDefinition, Subject } from "./types.ts";

const maxDisplayNameBytes = 256;

/** Free text of at most 256 bytes. */
export function isDisplayName(text: string): boolean {
  return Buffer.byteLength(text) <= maxDisplayNameBytes && isStorable(text);
}

/** The live group of this name. Throws `permission_group_not_found`. */
export async function resolveGroup(on: Queryable, address: GroupAddress): Promise<GroupRow> {
  const persona = address.persona.trim();
  const slug = address.instanceSlug.trim();
  const group =
    persona === "root"
      ? await groupStore.root(on)
      : isSlug(slug)
        ? await groupStore.bySlug(on, persona, slug)
        : undefined;
  if (group === undefined) throw new AuthError("permission_group_not_found");
  return group;
}

/**
 * Union of the grants of the subject's roles in the group and its live ancestors, globs verbatim. A catalogue role shadows a custom
 * role of its name; a role neither declared nor defined confers nothing, and so does any role of a user who is banned or deleted.
 */
export async function effectiveGrants(
  on: Queryable,
  catalogue: Catalogue,
  subject: Subject,
  groupId: string,
  now: Date,
): Promise<string[]> {
  if (!isUuid(subject.id)) return [];
  const grants = new Set<string>();
  for (const { persona, role, permissions } of await groupStore.chainRoles(on, subject, groupId, now)) {
    const custom = catalogue.persona(persona)?.customRoles === true ? permissions : null;
    for (const grant of catalogue.role(persona, role)?.permissions ?? custom ?? []) grants.add(grant);
  }
  return [...grants];
}

/** A declared role, else the custom role of this very group where its persona has such. */
export async function definedRole(
  on: Queryable,
  catalogue: Catalogue,
  group: GroupRow,
  name: string,
): Promise<RoleDefinition | undefined> {
  const declared = catalogue.role(group.persona, name);
  if (declared !== undefined) return declared;
  if (catalogue.persona(group.persona)?.customRoles !== true) return undefined;
  return groupStore.customRole(on, group.id, name);
}

/** Whether an actor's grants include the capability, and cover each grant of a role. */
export function assertCovers(
  held: readonly string[],
  persona: string,
  capability: Capability,
  wanted: readonly string[] | undefined,
): void {
  if (!covered(held, `${persona}:${capability}`)) throw new AuthError("insufficient_role_authority");
  if (wanted === undefined) throw new AuthError("role_not_assignable");
  if (!wanted.every((grant) => covered(held, grant))) throw new AuthError("role_assignment_escalation");
}
