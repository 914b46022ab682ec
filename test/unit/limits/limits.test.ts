import { beforeEach, describe, expect, it } from "vitest";
import type { LimitPolicyConfig } from "../../../src/config/config.ts";
import { AuthError } from "../../../src/contract/errors/index.ts";
import { actionOf, bucketOf, buckets, createLimits, type Limits } from "../../../src/core/limits/index.ts";
import { createMemoryRateLimiter } from "../../../src/platform/limiter/memory.ts";
import type { LimitCheck, RateLimiter } from "../../../src/platform/limiter/port.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { testConfig } from "../../support/config.ts";

let now: number;
let charged: LimitCheck[];
const clock = {
  millis: () => now,
  now: () => new Date(now),
  epochSeconds: () => Math.floor(now / 1000),
  monotonic: () => now,
};

function make(
  policy: Partial<LimitPolicyConfig> = {},
  limiter: RateLimiter = createMemoryRateLimiter(clock),
  strictStatus = false,
): Limits {
  const config = { ...testConfig(), strictStatus, limits: { enabled: true, buckets: {}, ...policy } };
  const recording: RateLimiter = {
    hit(check) {
      charged.push(check);
      return limiter.hit(check);
    },
  };
  return createLimits({ config, limiter: recording, clock, log: silentLog, metrics: createMetrics("test") });
}

async function refusal(attempt: Promise<unknown>): Promise<AuthError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AuthError)) throw new Error("was not refused");
  return error;
}

beforeEach(() => {
  now = Date.parse("2026-06-26T12:00:00.250Z");
  charged = [];
});

describe("keys", () => {
  it("charges the address under the contract's key", async () => {
    await make().check("auth_token", { ip: "203.0.113.7" });
    expect(charged).toEqual([
      { key: "auth:auth_token:ip:203.0.113.7", bucket: "auth_token", rule: { limit: 30, windowSeconds: 60 } },
    ]);
  });

  it("counts IPv6 by /64 and every spelling of an address as one", async () => {
    const limits = make();
    for (const ip of [
      "2001:db8:1:2::1",
      "2001:DB8:1:2:ffff:0:0:9",
      "2001:0db8:0001:0002::",
      "::ffff:203.0.113.7",
      "203.0.113.7",
    ]) {
      await limits.check("auth_token", { ip });
    }
    expect(charged.map(({ key }) => key)).toEqual([
      "auth:auth_token:ip:2001:db8:1:2::/64",
      "auth:auth_token:ip:2001:db8:1:2::/64",
      "auth:auth_token:ip:2001:db8:1:2::/64",
      "auth:auth_token:ip:203.0.113.7",
      "auth:auth_token:ip:203.0.113.7",
    ]);
  });

  it("counts all unknown addresses together instead of letting them pass", async () => {
    const limits = make();
    await limits.check("auth_token", { ip: undefined });
    await limits.check("auth_token", { ip: "not an address" });
    expect(charged.map(({ key }) => key)).toEqual([
      "auth:auth_token:ip:unknown",
      "auth:auth_token:ip:unknown",
    ]);
  });

  it("hashes identifiers, trimmed and in lower case, and skips blank ones", async () => {
    const limits = make();
    await limits.check("auth_register", { id: "  Alice@Example.com " });
    await limits.check("auth_password_login", { id: "alice@example.com" });
    await limits.check("auth_password_login", { id: " ALICE@example.com" });
    await limits.check("auth_password_login", { id: "   " });
    const keys = charged.map(({ key }) => key);
    expect(keys).toHaveLength(3);
    expect(keys[1]).toBe(keys[2]);
    expect(keys[1]).toMatch(/^auth:auth_password_login:id:[\w-]{22}$/);
    expect(keys[0]?.split(":").at(-1)).toBe(keys[1]?.split(":").at(-1));
    expect(keys.join()).not.toContain("alice");
  });
});

describe("refusals", () => {
  it("carry what the contract lists, with a cooldown", async () => {
    const limits = make();
    const subject = { ip: "203.0.113.7" };
    await limits.check("auth_pwd_reset_request", subject);
    now += 19_000;
    const error = await refusal(limits.check("auth_pwd_reset_request", subject));
    expect(error.code).toBe("rate_limited");
    expect(error.retryAfter).toBe(41);
    expect(error.headers).toEqual({
      "RateLimit-Limit": "6",
      "RateLimit-Remaining": "5",
      "RateLimit-Reset": "41",
    });
    expect(error.metadata).toEqual({
      action: "request_password_reset",
      allowed: false,
      reason: "cooldown",
      retry_after_seconds: 41,
      next_allowed_at: "2026-06-26T12:01:01Z",
      limit: 6,
      remaining: 5,
      window_seconds: 3600,
      cooldown_seconds: 60,
    });
  });

  it("carry no cooldown where the bucket has none", async () => {
    const limits = make();
    for (let i = 0; i < 30; i++) await limits.check("auth_token", { ip: "203.0.113.7" });
    const error = await refusal(limits.check("auth_token", { ip: "203.0.113.7" }));
    expect(error.metadata).toEqual({
      action: "token",
      allowed: false,
      reason: "limit_exceeded",
      retry_after_seconds: 60,
      next_allowed_at: "2026-06-26T12:01:01Z",
      limit: 30,
      remaining: 0,
      window_seconds: 60,
    });
  });

  it("keep the address charged when the identifier is refused, and spare the identifier when the address is", async () => {
    const limits = make();
    for (let i = 0; i < 20; i++)
      await limits.check("auth_password_login", { ip: `203.0.113.${i}`, id: "alice" });
    await refusal(limits.check("auth_password_login", { ip: "198.51.100.1", id: "alice" }));
    expect(charged.filter(({ key }) => key.endsWith("ip:198.51.100.1"))).toHaveLength(1);
    for (let i = 0; i < 19; i++)
      await limits.check("auth_password_login", { ip: "198.51.100.1", id: `other${i}` });
    charged = [];
    await refusal(limits.check("auth_password_login", { ip: "198.51.100.1", id: "bob" }));
    expect(charged).toHaveLength(1);
  });
});

describe("a failing backend", () => {
  const broken: RateLimiter = {
    hit: () => Promise.reject(new AuthError("service_unavailable", { retryAfter: 1 })),
  };
  const closed = [
    "auth_2fa_enable",
    "auth_2fa_verify",
    "auth_email_verify_confirm",
    "auth_passkey_login",
    "auth_password_login",
    "auth_passwordless_confirm",
    "auth_phone_verify_confirm",
    "auth_pwd_reset_confirm",
    "auth_step_up_password",
  ];
  it.each(closed)("refuses %s without saying when to come back", async (bucket) => {
    const error = await refusal(make({}, broken).check(bucket, { ip: "203.0.113.7" }));
    expect([error.code, error.metadata, error.headers, error.retryAfter]).toEqual([
      "rate_limited",
      undefined,
      undefined,
      undefined,
    ]);
  });
  it("is an outage where improved statuses are asked for", async () => {
    const error = await refusal(make({}, broken, true).check("auth_2fa_verify", { ip: "203.0.113.7" }));
    expect([error.code, error.status, error.retryAfter]).toEqual(["rate_limited", 503, 1]);
  });
  it("lets every other bucket through", async () => {
    const limits = make({}, broken);
    for (const bucket of Object.keys(buckets)) {
      if (closed.includes(bucket)) continue;
      expect(await limits.check(bucket, { ip: "203.0.113.7", id: "alice" })).toBeUndefined();
    }
  });
});

/** The contract's numbers: accepted hits, window and least gap in seconds, where a bucket has one. */
const contract: Readonly<Record<string, readonly number[]>> = {
  auth_token: [30, 60],
  auth_register: [6, 3600, 60],
  auth_register_availability: [120, 60],
  auth_register_resend_email: [6, 3600, 60],
  auth_register_resend_phone: [6, 3600, 60],
  auth_register_abandon: [10, 3600, 60],
  auth_invite_create: [20, 3600, 60],
  auth_password_login: [20, 3600],
  auth_passwordless_start: [6, 3600, 60],
  auth_passwordless_confirm: [10, 600],
  auth_passkey_register: [12, 3600],
  auth_passkey_login: [60, 3600],
  auth_logout: [60, 600],
  auth_sessions_current: [60, 600],
  auth_sessions_list: [120, 60],
  auth_sessions_revoke: [60, 600],
  auth_sessions_revoke_all: [20, 3600],
  auth_pwd_reset_request: [6, 3600, 60],
  auth_pwd_reset_confirm: [10, 600],
  auth_email_verify_request: [6, 3600, 60],
  auth_email_verify_confirm: [10, 600],
  auth_phone_verify_request: [6, 3600, 60],
  auth_phone_verify_confirm: [10, 600],
  auth_user_password_change: [6, 3600],
  auth_user_me: [120, 60],
  auth_user_update_username: [12, 3600],
  auth_user_preferred_language: [24, 3600],
  auth_user_email_change_request: [6, 3600, 60],
  auth_user_phone_change_request: [6, 3600, 60],
  auth_user_delete: [6, 3600],
  auth_user_unlink_provider: [12, 3600],
  auth_user_metadata: [60, 60],
  auth_oidc_start: [30, 600],
  auth_oidc_callback: [60, 600],
  auth_solana_challenge: [30, 600],
  auth_solana_login: [20, 600],
  auth_solana_link: [12, 3600],
  auth_2fa_send: [5, 600, 30],
  auth_2fa_start_phone: [3, 600],
  auth_2fa_start_totp: [6, 3600],
  auth_2fa_enable: [6, 3600],
  auth_2fa_disable: [6, 3600],
  auth_2fa_regenerate_codes: [3, 3600],
  auth_2fa_verify: [10, 600],
  auth_admin_user_sessions_list: [600, 3600],
  auth_admin_user_sessions_revoke_all: [30, 3600],
  auth_admin_password_reset: [20, 3600],
  application_register: [30, 3600],
  application_rotate: [30, 3600],
  group_settings: [12, 86_400],
  group_create: [12, 86_400],
  delegated_token_mint: [60, 60],
};

it.each(Object.entries(contract))("has the contract's numbers for %s", (name, numbers) => {
  const { limit, windowSeconds, cooldownSeconds } = bucketOf(name);
  expect([limit, windowSeconds, ...(cooldownSeconds === undefined ? [] : [cooldownSeconds])]).toEqual(
    numbers,
  );
});

describe("numbers in force", () => {
  it("are the operator's where given; off removes the limit", async () => {
    const limits = make({
      buckets: {
        auth_token: { limit: 1, windowSeconds: 10 },
        auth_logout: "off",
        auth_user_me: { limit: 5, windowSeconds: 10, cooldownSeconds: 20 },
      },
    });
    await limits.check("auth_token", { ip: "203.0.113.7" });
    expect((await refusal(limits.check("auth_token", { ip: "203.0.113.7" }))).retryAfter).toBe(10);
    expect(await limits.check("auth_logout", { ip: "203.0.113.7" })).toBeUndefined();
    await limits.check("auth_user_me", { ip: "203.0.113.7" });
    now += 11_000;
    expect((await refusal(limits.check("auth_user_me", { ip: "203.0.113.7" }))).metadata).toMatchObject({
      reason: "cooldown",
      retry_after_seconds: 9,
    });
  });
  it("are 120 a minute for a bucket the table does not have", async () => {
    const limits = make();
    const result = await limits.check("auth_something_new", { ip: "203.0.113.7" });
    expect(result).toEqual({
      rule: { limit: 120, windowSeconds: 60 },
      decision: { allowed: true, limit: 120, remaining: 119 },
    });
    expect(bucketOf("constructor")).toEqual({ limit: 120, windowSeconds: 60 });
  });
  it("are none when limits are switched off", async () => {
    await make({ enabled: false }).check("auth_token", { ip: "203.0.113.7", id: "x" });
    expect(charged).toEqual([]);
  });
  it("answer with the tighter of both keys", async () => {
    const limits = make();
    await limits.check("auth_password_login", { ip: "203.0.113.1", id: "alice" });
    const result = await limits.check("auth_password_login", { ip: "203.0.113.2", id: "alice" });
    expect(result?.decision.remaining).toBe(18);
  });
});

it("names actions as the contract does", () => {
  expect(
    [
      "auth_pwd_reset_request",
      "auth_email_verify_request",
      "auth_register_resend_email",
      "auth_user_email_change_request",
      "auth_phone_verify_request",
      "auth_register_resend_phone",
      "auth_user_phone_change_request",
      "auth_password_login",
      "auth_user_me",
      "group_create",
    ].map(actionOf),
  ).toEqual([
    "request_password_reset",
    "request_email_verification",
    "request_email_verification",
    "request_email_verification",
    "request_phone_verification",
    "request_phone_verification",
    "request_phone_verification",
    "password_login",
    "user_me",
    "group_create",
  ]);
});
