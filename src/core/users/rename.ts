import { AuthError } from "../../contract/errors/index.ts";
import type { Queryable } from "../../platform/postgres/port.ts";
import { foldUsername, isUuid, parseUserId, parseUsername } from "../identifiers/index.ts";
import type { UserCapability } from "./capability.ts";
import { mappingConflicts } from "./conflicts.ts";
import type { RenameAvailability, UserNames } from "./operations.ts";
import { renameStore } from "./rename-store.ts";
import { userStore } from "./store.ts";

/** Between two renames of one account. */
export const renameCooldownSeconds = 72 * 3600;

/** What the history can hold of a former name; names made before there were rules may lie outside. */
const recordable = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** When an account that was last renamed at `last` may be renamed again. */
export function renameAvailability(last: Date | undefined, at: Date): RenameAvailability {
  if (last === undefined) return { seconds: 0, nextAllowedAt: undefined };
  const next = last.getTime() + renameCooldownSeconds * 1000;
  const seconds = Math.max(0, Math.ceil((next - at.getTime()) / 1000));
  return { seconds, nextAllowedAt: seconds > 0 ? new Date(next) : undefined };
}

/** The refusal with the facts clients show. */
function tooSoon({ seconds, nextAllowedAt }: RenameAvailability): AuthError {
  return new AuthError("rename_rate_limited", {
    retryAfter: seconds,
    metadata: {
      action: "update_username",
      allowed: false,
      cooldown_seconds: renameCooldownSeconds,
      next_allowed_at: nextAllowedAt?.toISOString().replace(/\.\d+Z$/, "Z"),
      reason: "cooldown",
      retry_after_seconds: seconds,
      time_until_rename_available: seconds,
    },
  });
}

/** Usernames of existing accounts. */
export function createRenaming(capability: UserCapability): UserNames {
  const { config, database, clock, audit } = capability;

  async function availabilityOf(
    userId: string,
    at = clock.now(),
    on: Queryable = database,
  ): Promise<RenameAvailability> {
    const last = userId.trim() === "" ? undefined : await renameStore.lastRename(on, parseUserId(userId));
    return renameAvailability(last, at);
  }

  return {
    async rename(userId, username, context, { ignoreCooldown = false } = {}) {
      const wanted = parseUsername(username, "interactive");
      const id = parseUserId(userId);
      return mappingConflicts(() =>
        database.transaction(async (tx) => {
          // Held to the end: two renames at once would otherwise both find the cooldown over.
          const user = await userStore.lock(tx, id);
          if (user === undefined) throw new AuthError("user_not_found");
          if (user.username === wanted) return false;
          const at = clock.now();
          const former = foldUsername(user.username ?? "");
          if (former !== foldUsername(wanted)) {
            parseUsername(wanted, "interactive", config.registration.reservedUsernames);
            const available = await availabilityOf(id, at, tx);
            if (available.seconds > 0 && !ignoreCooldown) throw tooSoon(available);
            await renameStore.setUsername(tx, id, wanted, at);
            if (recordable.test(former)) await renameStore.addRename(tx, id, former, at);
          } else {
            await renameStore.setUsername(tx, id, wanted, at);
          }
          const details = { from: user.username, to: wanted };
          await audit.record(
            { action: "user.renamed", target: `user:${id}`, outcome: "ok", details },
            context,
            tx,
          );
          return true;
        }),
      );
    },

    renameAvailability: (userId, at) => availabilityOf(userId, at),
    aliases: async (userId) => (isUuid(userId) ? renameStore.aliases(database, userId) : []),
  };
}
