import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation } from "../../platform/postgres/port.ts";
import { isStorable, parseUserId } from "../identifiers/index.ts";
import { announce } from "../sessions/index.ts";
import type { UserCapability } from "./capability.ts";
import { moderationStore } from "./moderation-store.ts";
import type { UserModeration } from "./operations.ts";
import { guardOwnership } from "./owner-guard.ts";

/** Banning and unbanning: account, sessions and trail in one transaction, publication after it. */
export function createModeration(capability: UserCapability): UserModeration {
  const { database, clock, audit, sessions, feed, log } = capability;

  return {
    async ban({ userId, reason, until, bannedBy }, context, { ownerGuard }) {
      const id = parseUserId(userId);
      const at = clock.now();
      if (until !== null && until.getTime() <= at.getTime()) throw new AuthError("invalid_until");
      const text = reason?.trim() || null;
      if (text !== null && !isStorable(text)) throw new AuthError("invalid_request");
      const by = bannedBy === null || bannedBy.trim() === "" ? null : parseUserId(bannedBy);
      try {
        return await database.transaction(async (tx) => {
          await guardOwnership(capability, tx, id, ownerGuard);
          if (!(await moderationStore.ban(tx, id, at, { until, reason: text, bannedBy: by }))) return false;
          const ended = await sessions.all(id, "banned", { tx });
          const details = {
            until: until?.toISOString() ?? null,
            reason: text,
            bannedBy: by,
            sessions: ended,
          };
          await audit.record(
            { action: "user.banned", target: `user:${id}`, outcome: "ok", details },
            context,
            tx,
          );
          tx.afterCommit(() => announce(log, [() => feed.revokeUser(id)]));
          return true;
        });
      } catch (error) {
        if (error instanceof ConstraintViolation && error.kind === "foreign_key")
          throw new AuthError("user_not_found", { cause: error });
        throw error;
      }
    },

    async unban(userId, context) {
      const id = parseUserId(userId);
      return database.transaction(async (tx) => {
        if (!(await moderationStore.unban(tx, id, clock.now()))) return false;
        await audit.record({ action: "user.unbanned", target: `user:${id}`, outcome: "ok" }, context, tx);
        tx.afterCommit(() => announce(log, [() => feed.readmitUser(id)]));
        return true;
      });
    },
  };
}
