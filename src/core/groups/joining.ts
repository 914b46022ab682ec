import type { Transaction } from "../../platform/postgres/port.ts";
import { covered } from "../authentication/permission-cover.ts";
import type { CallContext } from "../platform.ts";
import type { Assignments } from "./membership.ts";
import { definedRole } from "./permissions.ts";
import { groupStore } from "./store.ts";
import type { Catalogue, GroupRow, Subject } from "./types.ts";

export type JoinOutcome = "assigned" | "kept";

/**
 * Gives a user a role by invitation, in the caller's transaction. Whoever holds this role, or one that covers it, keeps what he has: an
 * invitation never takes anything away. `claim` runs under the locks when something is about to change, and may still refuse. Throws
 * `user_not_found`, `permission_group_not_found`, `role_not_assignable`, `2fa_enrollment_required`, `cannot_remove_last_admin_role`.
 */
export function createJoining(catalogue: Catalogue, assignments: Assignments) {
  return async (
    tx: Transaction,
    group: GroupRow,
    userId: string,
    roleName: string,
    context: CallContext,
    claim: () => Promise<void> = async () => undefined,
  ): Promise<JoinOutcome> => {
    const subject: Subject = { id: userId, kind: "user" };
    await assignments.hold(tx, group, subject);
    const held = await groupStore.directRoles(tx, subject, group.id);
    const wanted = await definedRole(tx, catalogue, group, roleName);
    for (const name of held) {
      if (name === roleName) return "kept";
      const present = await definedRole(tx, catalogue, group, name);
      if (wanted?.permissions.every((grant) => covered(present?.permissions ?? [], grant)) === true)
        return "kept";
    }
    await claim();
    const role = await assignments.assignable(tx, group, roleName);
    if (held.includes("owner")) await assignments.guardLastOwner(tx, group, subject);
    await assignments.put(tx, group, subject, role, context);
    return "assigned";
  };
}
