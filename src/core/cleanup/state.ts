import { sweepEphemeral } from "../../platform/ephemeral/index.ts";
import { sweepRateLimits } from "../../platform/limiter/index.ts";
import type { Platform } from "../platform.ts";
import { cleanupStore } from "./store.ts";

const day = 86_400_000;
const inviteDays = 90;

export interface CleanupOptions {
  /** Rows of one statement, at most 5000. */
  readonly batchSize?: number;
  /**
   * Milliseconds revoked sessions stay; a day when absent. Never less than access tokens live, because nodes that start in the meantime
   * learn from the rows which tokens to refuse.
   */
  readonly keepRevokedMillis?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Rows removed, by kind. */
export interface CleanupReport {
  readonly sessions: number;
  readonly inviteLinks: number;
  readonly registrationInvites: number;
  readonly membershipInvites: number;
  readonly sessionEvents: number;
  readonly auditRows: number;
  readonly ephemeral: number;
  readonly rateLimits: number;
}

const maxBatch = 5000;
/** Tokens for enrolling a second factor may outlive short-lived access tokens. */
const enrollmentSeconds = 600;
/** Clocks of nodes differ. */
const margin = 60_000;

/**
 * Removes what has had its time: sessions that are revoked or expired, invites that ended more than 90 days ago, history and audit rows
 * beyond their retention, dead ephemeral rows. In batches that pass over locked rows, so that it may run anywhere at any time, also
 * twice at once. Idempotent.
 */
export async function cleanExpiredState(
  platform: Pick<Platform, "config" | "database" | "clock">,
  { batchSize = maxBatch, keepRevokedMillis = day, signal }: CleanupOptions = {},
): Promise<CleanupReport> {
  const { config, database, clock } = platform;
  const limit = Math.min(Math.max(batchSize, 1), maxBatch);
  const now = clock.now();
  const ago = (millis: number) => new Date(now.getTime() - millis);

  async function drain(remove: (limit: number) => Promise<number>): Promise<number> {
    let total = 0;
    for (;;) {
      signal?.throwIfAborted();
      const removed = await remove(limit);
      total += removed;
      if (removed < limit) return total;
    }
  }

  /** Negative = for ever. */
  function retained(days: number, remove: (before: Date, limit: number) => Promise<number>): Promise<number> {
    return days < 0 ? Promise.resolve(0) : drain((n) => remove(ago(days * day), n));
  }

  const tokenMillis =
    (Math.max(config.tokens.accessTtlSeconds, enrollmentSeconds) + config.tokens.skewSeconds) * 1000 + margin;
  const revokedUntil = ago(Math.max(keepRevokedMillis, tokenMillis));
  const inviteEnd = ago(inviteDays * day);
  return {
    sessions: await drain((n) => cleanupStore.sessions(database, revokedUntil, now, n)),
    inviteLinks: await drain((n) => cleanupStore.inviteLinks(database, inviteEnd, n)),
    registrationInvites: await drain((n) => cleanupStore.registrationInvites(database, inviteEnd, n)),
    membershipInvites: await drain((n) => cleanupStore.membershipInvites(database, inviteEnd, n)),
    sessionEvents: await retained(config.retention.sessionEventDays, (before, n) =>
      cleanupStore.sessionEvents(database, before, n),
    ),
    auditRows: await retained(config.retention.auditDays, (before, n) =>
      cleanupStore.auditRows(database, before, n),
    ),
    ephemeral: await sweepEphemeral(database),
    rateLimits: await sweepRateLimits(database),
  };
}
