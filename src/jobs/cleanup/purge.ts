import type { CallContext, Platform } from "../../core/platform.ts";
import type { UserOperations } from "../../core/users/index.ts";

const day = 86_400_000;
const defaultDays = 30;
const defaultBatch = 500;
const timeLimitMillis = 10 * 60_000;

export interface PurgeOptions {
  /** Days since the soft deletion; 0 or less = 30. */
  readonly days?: number;
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
}

const system: CallContext = {
  requestId: "",
  ip: undefined,
  userAgent: undefined,
  language: "en",
  actor: "system",
  signal: undefined,
};

/**
 * Removes accounts for good whose soft deletion lies back long enough, oldest first, for at most ten minutes. Stops at the first
 * error, which it throws; what is done stays done. Returns how many went.
 */
export async function purgeDeletedUsers(
  platform: Pick<Platform, "clock">,
  users: Pick<UserOperations, "deletedBefore" | "hardDelete">,
  { days = defaultDays, batchSize = defaultBatch, signal }: PurgeOptions = {},
): Promise<number> {
  const { clock } = platform;
  const started = clock.monotonic();
  const cutoff = new Date(started - (days > 0 ? days : defaultDays) * day);
  const limit = batchSize > 0 ? batchSize : defaultBatch;
  let purged = 0;
  for (;;) {
    const ids = await users.deletedBefore(cutoff, limit);
    let removed = 0;
    for (const id of ids) {
      signal?.throwIfAborted();
      if (clock.monotonic() - started > timeLimitMillis) return purged;
      if (await users.hardDelete(id, system, { ownerGuard: "warn" })) removed++;
    }
    purged += removed;
    // A batch of which nothing could be removed would come back for ever.
    if (ids.length < limit || removed === 0) return purged;
  }
}
