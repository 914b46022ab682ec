import type { LimitDecision, LimitRule } from "./port.ts";

/** What a backend reports of one hit: hits still inside the window before it, and the times the answer depends on. */
export interface LimitState {
  readonly accepted: boolean;
  /** Hits inside the window, this one not counted. */
  readonly count: number;
  /** Milliseconds until the cooldown after the last accepted hit ends; 0 or less when it does not bind. */
  readonly cooldownMs: number;
  /** Milliseconds until the window has room again; 0 or less when it has. */
  readonly windowMs: number;
}

/** Turns a backend's state into the answer: the longer of the two waits counts, and only a longer window wait hides the cooldown. */
export function decide(rule: LimitRule, state: LimitState): LimitDecision {
  const remaining = Math.max(0, rule.limit - state.count - (state.accepted ? 1 : 0));
  if (state.accepted) return { allowed: true, limit: rule.limit, remaining };
  const wait = Math.max(state.cooldownMs, state.windowMs);
  return {
    allowed: false,
    limit: rule.limit,
    remaining,
    retryAfterSeconds: Math.max(1, Math.ceil(wait / 1000)),
    reason: state.windowMs > state.cooldownMs ? "limit_exceeded" : "cooldown",
  };
}

/**
 * Milliseconds a hit may lie in the future: servers that took over from one another differ by so much. One further ahead was made before the
 * clock was set back, and counts for nothing: it would lock people out until the clock has caught up.
 */
export const tolerableFutureMs = 1_000;

/** State of a log of accepted hits (milliseconds, ascending) at `now`; used by the backends that have the whole log at hand. */
export function stateOf(rule: LimitRule, hits: readonly number[], now: number): Omit<LimitState, "accepted"> {
  const inWindow = hits.filter(
    (hit) => hit > now - rule.windowSeconds * 1000 && hit <= now + tolerableFutureMs,
  );
  const last = inWindow.at(-1);
  const cooldownMs = last === undefined ? 0 : last + (rule.cooldownSeconds ?? 0) * 1000 - now;
  // The hit that has to leave the window before there is room: the oldest, unless the limit was lowered meanwhile.
  const leaving = rule.limit > 0 ? inWindow[inWindow.length - rule.limit] : undefined;
  const windowMs =
    rule.limit <= 0
      ? rule.windowSeconds * 1000
      : leaving === undefined
        ? 0
        : leaving + rule.windowSeconds * 1000 - now;
  return { count: inWindow.length, cooldownMs, windowMs };
}
