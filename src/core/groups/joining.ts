import type { Transaction } from "../../platform/postgres/port.ts";
import { covered } from "../authentication/permission-cover.ts";
import type { CallContext } from "../platform.ts";
import type { Assignments } from "./membership.ts";
import { definedRole } from "./permissions.ts";
import { groupStore } from "./store.ts";
import type { Catalogue, GroupRow, Subject } from "./types.ts";

export type JoinOutcome = "assigned" | "kept" | "refused";

/**
 * Gives a user a role by invitation, in the caller's transaction. Whoever holds this role, or one that covers it, keeps what he has: an
 * invitation never takes anything away. `refused` when it is not `allowed` any more and would change something. Throws `user_not_found`,
 * `permission_group_not_found`, `role_not_assignable`, `2fa_enrollment_required`, `cannot_remove_last_admin_role`.
 */
export function createJoining(catalogue: Catalogue, assignments: Assignments) {
  return async (
    tx: Transaction,
    group: GroupRow,
    userId: string,
    roleName: string,
    context: CallContext,
    { allowed }: { readonly allowed: boolean },
  ): Promise<JoinOutcome> => {
    const subject: Subject = { id: userId, kind: "user" };
    await assignments.hold(tx, group, subject);
    const role = await assignments.assignable(tx, group, roleName);
    const held = await groupStore.directRoles(tx, subject, group.id);
    for (const name of held) {
      const present = await definedRole(tx, catalogue, group, name);
      const higher = role.permissions.every((grant) => covered(present?.permissions ?? [], grant));
      if (name === role.name || higher) return "kept";
    }
    if (!allowed) return "refused";
    if (held.includes("owner")) await assignments.guardLastOwner(tx, group, subject);
    await assignments.put(tx, group, subject, role, context);
    return "assigned";
  };
}
