import type { Audit } from "../audit/index.ts";
import { rateLimited } from "../limits/refusal.ts";
import type { Notices } from "../notices/index.ts";
import type { CallContext, Platform } from "../platform.ts";

/** Wrong second factors in a row, over however many sign-ins, before the account's second factor is locked. */
const maxFailures = 20;
const lockSeconds = 900;
/** Seconds without a failure after which counting starts anew. */
const memorySeconds = 86_400;

/**
 * Ends slow guessing: each challenge bears five wrong codes and each address a few a minute, but whoever knows the password can begin
 * again and again. Locked is the second factor alone, and only by somebody who passed the first.
 */
export interface FactorLock {
  /** Throws `rate_limited` while the account's second factor is locked. */
  assertOpen(userId: string): Promise<void>;
  /**
   * Counts a wrong factor; the twentieth in a row locks, and the owner is told. `guess` names what was presented where presenting it again
   * teaches nothing: then it counts once.
   */
  failed(userId: string, guess: string | undefined, context: CallContext): Promise<void>;
  succeeded(userId: string): Promise<void>;
}

export function createFactorLock(
  { ephemeral, clock }: Pick<Platform, "ephemeral" | "clock">,
  parts: { readonly audit: Audit; readonly notices: Notices },
): FactorLock {
  const failuresKey = (userId: string): string => `auth:2fa:failures:${userId}`;
  const guessKey = (userId: string, guess: string): string => `${failuresKey(userId)}:${guess}`;
  const lockKey = (userId: string): string => `auth:2fa:locked:${userId}`;

  return {
    async assertOpen(userId) {
      const until = await ephemeral.get(lockKey(userId));
      if (until === undefined) return;
      const seconds = Math.ceil((Number(until) - clock.millis()) / 1000);
      // Another node's clock wrote it; how long the lock holds is the store's affair.
      const retryAfterSeconds = Math.min(Math.max(1, seconds), lockSeconds);
      throw rateLimited(
        "2fa_verify",
        { limit: maxFailures, windowSeconds: lockSeconds },
        { allowed: false, limit: maxFailures, remaining: 0, retryAfterSeconds, reason: "limit_exceeded" },
        clock.millis(),
      );
    },

    async failed(userId, guess, context) {
      // A form sent many times is no guessing.
      if (guess !== undefined && !(await ephemeral.setIfAbsent(guessKey(userId, guess), "1", memorySeconds)))
        return;
      if ((await ephemeral.increment(failuresKey(userId), memorySeconds)) < maxFailures) return;
      const until = String(clock.millis() + lockSeconds * 1000);
      const first = await ephemeral.setIfAbsent(lockKey(userId), until, lockSeconds);
      await ephemeral.delete(failuresKey(userId));
      if (!first) return;
      const entry = { action: "mfa.locked", target: `user:${userId}`, outcome: "ok" } as const;
      await parts.audit.record({ ...entry, details: { seconds: lockSeconds } }, context);
      await parts.notices.tell("notice_second_factor_locked", userId, context);
    },

    succeeded: (userId) => ephemeral.delete(failuresKey(userId)),
  };
}
