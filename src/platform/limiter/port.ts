/** A sliding-window limit (spec 40 §4): at most `limit` accepted hits within `window`, and `cooldown` after the last one. */
export interface LimitRule {
  readonly limit: number;
  readonly windowSeconds: number;
  readonly cooldownSeconds?: number;
}

export interface LimitCheck {
  /** Full key, e.g. `auth:auth_password_login:ip:203.0.113.7`. */
  readonly key: string;
  readonly bucket: string;
  readonly rule: LimitRule;
}

export interface LimitDecision {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Whole seconds, rounded up, at least 1; only when denied. */
  readonly retryAfterSeconds?: number;
  readonly reason?: "cooldown" | "limit_exceeded";
}

/** One decision per check, atomically prune + count + decide + add; denied hits are not recorded. Rejects when the backend fails. */
export interface RateLimiter {
  hit(check: LimitCheck): Promise<LimitDecision>;
}
