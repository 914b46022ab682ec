import { AuthError } from "../../contract/errors/index.ts";
import type { LimitDecision, LimitRule } from "../../platform/limiter/port.ts";

/** `RateLimit-*` headers of a decision; an allowed one names the window as the time after which the count starts afresh. */
export function rateLimitHeaders(decision: LimitDecision, rule: LimitRule): Record<string, string> {
  return {
    "RateLimit-Limit": String(decision.limit),
    "RateLimit-Remaining": String(decision.remaining),
    "RateLimit-Reset": String(decision.retryAfterSeconds ?? rule.windowSeconds),
  };
}

/** The 429 of a denied decision, with everything a client needs to wait the right time. */
export function rateLimited(
  action: string,
  rule: LimitRule,
  decision: LimitDecision,
  now: number,
): AuthError {
  const wait = decision.retryAfterSeconds ?? 1;
  return new AuthError("rate_limited", {
    retryAfter: wait,
    headers: rateLimitHeaders(decision, rule),
    metadata: {
      action,
      allowed: false,
      reason: decision.reason ?? "limit_exceeded",
      retry_after_seconds: wait,
      next_allowed_at: wholeSeconds(now + wait * 1000),
      limit: decision.limit,
      remaining: decision.remaining,
      window_seconds: rule.windowSeconds,
      ...(rule.cooldownSeconds ? { cooldown_seconds: rule.cooldownSeconds } : {}),
    },
  });
}

/** RFC 3339 in UTC without fraction, rounded up so that nobody comes a moment early. */
function wholeSeconds(millis: number): string {
  return new Date(Math.ceil(millis / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
