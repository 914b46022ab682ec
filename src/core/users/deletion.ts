import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import { parseUserId } from "../identifiers/index.ts";
import type { CallContext } from "../platform.ts";
import { announce } from "../sessions/index.ts";
import type { UserCapability } from "./capability.ts";
import { moderationStore } from "./moderation-store.ts";
import type { BatchOutcome, GuardOption, UserDeletion } from "./operations.ts";
import { guardOwnership } from "./owner-guard.ts";

const defaultBatch = 500;
/** Items of one call that changes many accounts: each is a transaction of its own. */
const maxItems = 1000;

/** Soft deletion, its undoing, and removal for good. */
export function createDeletion(capability: UserCapability): UserDeletion {
  const { config, database, clock, audit, sessions, feed, log } = capability;

  async function softDelete(
    userId: string,
    context: CallContext,
    { ownerGuard }: GuardOption,
  ): Promise<boolean> {
    const id = parseUserId(userId);
    return database.transaction(async (tx) => {
      await guardOwnership(capability, tx, id, ownerGuard);
      if (!(await moderationStore.softDelete(tx, id, clock.now()))) return false;
      const ended = await sessions.all(id, "soft_deleted", { tx });
      await audit.record(
        { action: "user.soft_deleted", target: `user:${id}`, outcome: "ok", details: { sessions: ended } },
        context,
        tx,
      );
      tx.afterCommit(() => announce(log, [() => feed.revokeUser(id)]));
      return true;
    });
  }

  async function restore(userId: string, context: CallContext): Promise<boolean> {
    const id = parseUserId(userId);
    return database.transaction(async (tx) => {
      if (!(await moderationStore.restore(tx, id, clock.now()))) return false;
      await audit.record({ action: "user.restored", target: `user:${id}`, outcome: "ok" }, context, tx);
      tx.afterCommit(() => announce(log, [() => feed.readmitUser(id)]));
      return true;
    });
  }

  /** What becomes of the API keys the account has made: nobody will be found by them afterwards. For the audit row. */
  async function keysLeft(tx: Transaction, userId: string, context: CallContext) {
    const at = clock.now();
    const keys = await moderationStore.liveKeys(tx, userId, at);
    if (keys.length === 0) return {};
    const revoked = config.retention.purgeRevokesApiKeys;
    if (revoked) {
      await moderationStore.revokeKeys(
        tx,
        keys.map(({ id }) => id),
        at,
      );
      for (const { id, keyId } of keys) {
        const entry = { action: "api_key.revoked", target: `api_key:${id}`, outcome: "ok" } as const;
        await audit.record({ ...entry, details: { keyId, creator: userId } }, context, tx);
      }
    }
    return { apiKeys: keys.map(({ keyId }) => keyId), revoked };
  }

  async function hardDelete(
    userId: string,
    context: CallContext,
    { ownerGuard }: GuardOption,
  ): Promise<boolean> {
    const id = parseUserId(userId);
    return database.transaction(async (tx) => {
      const account = await moderationStore.lockForDeletion(tx, id);
      if (account === undefined) return false;
      // An account deleted before no longer owns anything usable; refusing it would stop every purge for ever.
      await guardOwnership(capability, tx, id, account.softDeleted ? "warn" : ownerGuard);
      const details = await keysLeft(tx, id, context);
      await moderationStore.removeRoles(tx, id);
      await moderationStore.hardDelete(tx, id);
      await audit.record(
        { action: "user.hard_deleted", target: `user:${id}`, outcome: "ok", details },
        context,
        tx,
      );
      tx.afterCommit(() => announce(log, [() => feed.revokeUser(id)]));
      return true;
    });
  }

  async function each(
    ids: readonly string[],
    work: (id: string) => Promise<boolean>,
  ): Promise<BatchOutcome[]> {
    if (ids.length > maxItems) throw new AuthError("invalid_request");
    const outcomes: BatchOutcome[] = [];
    for (const id of ids) {
      try {
        await work(id);
        outcomes.push({ id });
      } catch (error) {
        if (!isAuthError(error)) log.error({ err: error, userId: id }, "an item of a batch failed");
        outcomes.push({ id, error: isAuthError(error) ? error.code : "internal_error" });
      }
    }
    return outcomes;
  }

  return {
    softDelete,
    restore,
    hardDelete,
    softDeleteMany: (ids, context, options) => each(ids, (id) => softDelete(id, context, options)),
    restoreMany: (ids, context) => each(ids, (id) => restore(id, context)),
    hardDeleteMany: (ids, context, options) => each(ids, (id) => hardDelete(id, context, options)),
    deletedBefore: (cutoff, limit) =>
      moderationStore.deletedBefore(database, cutoff, limit > 0 ? Math.trunc(limit) : defaultBatch),
  };
}
