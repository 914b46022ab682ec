import type { Clock } from "../clock.ts";
import { decide, stateOf } from "./decision.ts";
import type { RateLimiter } from "./port.ts";

/** The limiter of a single process, for tests of what stands on it. */
export function createMemoryRateLimiter(clock: Clock): RateLimiter {
  const logs = new Map<string, readonly number[]>();
  return {
    async hit({ key, bucket, rule }) {
      const name = `${key}:${bucket}`;
      const now = clock.millis();
      const hits = (logs.get(name) ?? []).filter((hit) => hit > now - rule.windowSeconds * 1000);
      const state = stateOf(rule, hits, now);
      const accepted = state.cooldownMs <= 0 && state.windowMs <= 0;
      logs.set(name, accepted ? [...hits, now] : hits);
      return decide(rule, { accepted, ...state });
    },
  };
}
