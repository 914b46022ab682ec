import { AuthError } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import { isUuid } from "../identifiers/index.ts";
import type { Platform } from "../platform.ts";
import { announce, type RevocationFeed } from "./revocation-feed.ts";
import { revocationStore } from "./revocation-store.ts";
import type { RevocationReason } from "./types.ts";

export interface RevokeAllOptions {
  /** Session to leave alive; blank keeps none. */
  readonly keep?: string | undefined;
  readonly tx?: Transaction | undefined;
}

/** Ending sessions: rows, history and publication. Knows nothing of accounts, so that accounts can use it. */
export interface SessionRevocation {
  /** False when nothing was live; a text that is no session id ends nothing. */
  one(userId: string, sessionId: string, reason: RevocationReason): Promise<boolean>;
  /** Number of sessions ended. Throws `invalid_request` when `keep` is not a session id. */
  all(userId: string, reason: RevocationReason, options?: RevokeAllOptions): Promise<number>;
  /** Every session of a user's family, of any issuer. */
  family(familyId: string, userId: string, reason: RevocationReason): Promise<number>;
}

export function createSessionRevocation(
  platform: Pick<Platform, "config" | "database" | "clock" | "log">,
  feed: RevocationFeed,
): SessionRevocation {
  const { config, database, clock, log } = platform;

  function publish(sessionIds: readonly string[]): Promise<void> {
    return announce(
      log,
      sessionIds.map((id) => () => feed.revokeSession(id)),
    );
  }

  return {
    async one(userId, sessionId, reason) {
      if (!isUuid(sessionId) || !isUuid(userId)) return false;
      const ended = await revocationStore.one(
        database,
        clock.now(),
        reason,
        sessionId,
        userId,
        config.issuer,
      );
      await publish(ended);
      return ended.length > 0;
    },

    async all(userId, reason, { keep, tx } = {}) {
      const kept = keep === undefined || keep.trim() === "" ? null : keep.trim();
      if (kept !== null && !isUuid(kept)) throw new AuthError("invalid_request");
      if (!isUuid(userId)) return 0;
      const ended = await revocationStore.all(
        tx ?? database,
        clock.now(),
        reason,
        userId,
        config.issuer,
        kept,
      );
      if (tx === undefined) await publish(ended);
      else if (ended.length > 0) tx.afterCommit(() => publish(ended));
      return ended.length;
    },

    async family(familyId, userId, reason) {
      const ended = await revocationStore.family(database, clock.now(), reason, familyId, userId);
      await publish(ended);
      return ended.length;
    },
  };
}
