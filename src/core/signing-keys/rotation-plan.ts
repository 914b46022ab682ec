import type { Config } from "../../config/config.ts";
import type { StoredKey } from "./store.ts";

/** Seconds verifiers may keep a JWKS response. */
export const jwksMaxAge = 300;
/** Seconds between two looks of a process at the stored keyring, should a message have been lost. */
export const keyringPoll = 60;
/** Longest life of a token we sign, in seconds: delegated tokens are clamped there unless the clamp is lifted. */
const longestToken = 86_400;
const longestUnclampedToken = 30 * 86_400;

/** Times of a rotation, milliseconds. */
export interface RotationPolicy {
  /** From publication to first use: one JWKS lifetime, after the slowest process has seen the key. */
  readonly lead: number;
  /** From activation to the next one; 0 = only by command. */
  readonly period: number;
  /** From retirement until the last token has expired. */
  readonly retention: number;
}

export function rotationPolicy(config: Config): RotationPolicy {
  const longest = config.tokens.allowLongMachineTokens ? longestUnclampedToken : longestToken;
  return {
    lead: (jwksMaxAge + keyringPoll) * 1000,
    period: config.keys.rotationSeconds * 1000,
    retention:
      (Math.max(longest, config.tokens.accessTtlSeconds) + keyringPoll + config.tokens.skewSeconds) * 1000,
  };
}

/** What is asked for: only what is due, a routine rotation, one without lead time, or one that also forgets every older key. */
export type RotationRequest = "due" | "routine" | "now" | "emergency";

/** Changes to make, in this order; key `new` is one to be generated. */
export interface RotationPlan {
  readonly create: "next" | "active" | undefined;
  readonly activate: string | undefined;
  readonly retire: readonly string[];
  readonly drop: readonly string[];
}

/** Whether a plan changes anything. */
export function isEmpty(plan: RotationPlan): boolean {
  return (
    plan.create === undefined &&
    plan.activate === undefined &&
    plan.retire.length === 0 &&
    plan.drop.length === 0
  );
}

/** Decides, from the rows alone, what a rotation does at `now` (milliseconds). */
export function planRotation(
  keys: readonly StoredKey[],
  request: RotationRequest,
  now: number,
  policy: RotationPolicy,
): RotationPlan {
  const actives = keys.filter((key) => key.state === "active");
  const next = keys.find((key) => key.state === "next");
  const active = actives.at(-1);
  const expired = keys.filter((key) => key.state === "retired" && (key.expiresAt?.getTime() ?? 0) <= now);
  const kids = (list: readonly StoredKey[]): string[] => list.map((key) => key.kid);

  if (request === "emergency") {
    // A pre-published key may have leaked with the others: start from a fresh one.
    return { create: "active", activate: undefined, retire: [], drop: kids(keys) };
  }
  const immediately = request === "now" || active === undefined;
  const ripe = next !== undefined && (immediately || next.createdAt.getTime() + policy.lead <= now);
  if (ripe) return { create: undefined, activate: next.kid, retire: kids(actives), drop: kids(expired) };
  if (immediately)
    return { create: "active", activate: undefined, retire: kids(actives), drop: kids(expired) };
  const since = active.activatedAt?.getTime() ?? active.createdAt.getTime();
  const due = policy.period > 0 && since + policy.period - policy.lead <= now;
  const create = next === undefined && (request === "routine" || due) ? "next" : undefined;
  return { create, activate: undefined, retire: [], drop: kids(expired) };
}
