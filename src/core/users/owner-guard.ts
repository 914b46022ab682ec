import { AuthError } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { UserCapability } from "./capability.ts";
import { moderationStore } from "./moderation-store.ts";
import type { OwnerGuard } from "./operations.ts";

/**
 * Looks at the groups that lose their last usable owner when the account goes. The root group is guarded as asked; about others a
 * warning is logged, because their parents can appoint a new owner. Call before the account is changed, in its transaction.
 */
export async function guardOwnership(
  { clock, log }: Pick<UserCapability, "clock" | "log">,
  tx: Transaction,
  userId: string,
  guard: OwnerGuard,
): Promise<void> {
  const owned = await moderationStore.lockOwnedGroups(tx, userId);
  if (owned.length === 0) return;
  for (const group of await moderationStore.groupsOnlyOwnedBy(tx, userId, owned, clock.now())) {
    if (group.persona === "root" && guard !== "warn") throw new AuthError(guard);
    log.warn({ userId, groupId: group.id, persona: group.persona }, "a group loses its last usable owner");
  }
}
