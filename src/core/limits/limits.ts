import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { AuthError } from "../../contract/errors/index.ts";
import type { LimitDecision, LimitRule } from "../../platform/limiter/port.ts";
import { networkOf, parseIp } from "../../platform/outbound/ip-address.ts";
import type { Platform } from "../platform.ts";
import { actionOf, bucketOf } from "./buckets.ts";
import { rateLimited } from "./refusal.ts";

/** Whom a request is charged to; at least one member should be given. */
export interface LimitSubject {
  /** Client address. Given but undefined = unknown: all unknown clients share one counter. Left out = not charged. */
  readonly ip?: string | undefined;
  /** Identifier (address, username, user id); blank = not charged. */
  readonly id?: string | undefined;
}

export interface LimitResult {
  readonly rule: LimitRule;
  readonly decision: LimitDecision;
}

export interface Limits {
  /**
   * Charges the address, then the identifier, each with the bucket's numbers; both must pass, and the address stays charged when
   * the identifier is refused. Resolves to the tighter of the decisions, or undefined when nothing is limited.
   *
   * @throws AuthError `rate_limited` with metadata and `RateLimit-*` headers; without them when the backend failed and the bucket
   *   fails closed, then a 503 where improved statuses are asked for.
   */
  check(bucket: string, subject: LimitSubject): Promise<LimitResult | undefined>;
}

export type LimitsPlatform = Pick<Platform, "config" | "limiter" | "clock" | "log" | "metrics">;

export function createLimits(platform: LimitsPlatform): Limits {
  const { config, limiter, clock, log, metrics } = platform;
  const limited = metrics.counter("authkit_rate_limited_total", "Requests refused by a rate limit", ["rule"]);
  const failures = metrics.counter("authkit_rate_limiter_errors_total", "Limit checks the backend failed", [
    "rule",
  ]);
  const identifierKey = createSecretKey(
    createHmac("sha256", config.keys.codeSecret).update("rate limit identifiers").digest(),
  );

  async function charge(bucket: string, rule: LimitRule, key: string): Promise<LimitResult | undefined> {
    let decision: LimitDecision;
    try {
      decision = await limiter.hit({ key: `auth:${bucket}:${key}`, bucket, rule });
    } catch (error) {
      failures.add({ rule: bucket });
      const failClosed = bucketOf(bucket).failClosed === true;
      log.warn({ bucket, failClosed, err: error }, "rate limiter backend failed");
      if (failClosed) {
        const honest = config.strictStatus ? ({ status: 503, retryAfter: 1 } as const) : {};
        throw new AuthError("rate_limited", { ...honest, cause: error });
      }
      return undefined;
    }
    if (decision.allowed) return { rule, decision };
    limited.add({ rule: bucket });
    throw rateLimited(actionOf(bucket), rule, decision, clock.millis());
  }

  return {
    async check(bucket, subject) {
      const rule = ruleOf(config.limits, bucket);
      if (rule === undefined) return undefined;
      const byIp = "ip" in subject ? await charge(bucket, rule, `ip:${addressKey(subject.ip)}`) : undefined;
      const id = subject.id?.trim().toLowerCase() ?? "";
      if (id === "") return byIp;
      const byId = await charge(bucket, rule, `id:${hashed(identifierKey, id)}`);
      return tighter(byIp, byId);
    },
  };
}

/** The numbers in force: the operator's, else the table's; undefined when switched off. */
export function ruleOf(policy: LimitsPlatform["config"]["limits"], bucket: string): LimitRule | undefined {
  if (!policy.enabled) return undefined;
  const override = Object.hasOwn(policy.buckets, bucket) ? policy.buckets[bucket] : undefined;
  if (override === "off") return undefined;
  const { limit, windowSeconds, cooldownSeconds = 0 } = override ?? bucketOf(bucket);
  if (cooldownSeconds <= 0) return { limit, windowSeconds };
  // The log reaches back one window only: a longer cooldown needs a longer one.
  return { limit, windowSeconds: Math.max(windowSeconds, cooldownSeconds), cooldownSeconds };
}

/** IPv6 clients own at least a /64: they are counted by it. */
function addressKey(ip: string | undefined): string {
  const address = ip === undefined ? undefined : parseIp(ip);
  if (address === undefined) return "unknown";
  return address.family === 4 ? address.bytes.join(".") : networkOf(address, 64);
}

/** Identifiers are personal data: the key holds only a keyed hash. */
function hashed(key: KeyObject, id: string): string {
  return createHmac("sha256", key).update(id).digest().subarray(0, 16).toString("base64url");
}

/** Of two decisions the one that leaves less. */
export function tighter(a: LimitResult | undefined, b: LimitResult | undefined): LimitResult | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.decision.remaining <= b.decision.remaining ? a : b;
}
