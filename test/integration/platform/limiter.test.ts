import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/platform/clock.ts";
import {
  createRateLimiter,
  type LimitRule,
  type RateLimiter,
  sweepRateLimits,
} from "../../../src/platform/limiter/index.ts";
import { createMemoryRateLimiter } from "../../../src/platform/limiter/memory.ts";
import { sql } from "../../../src/platform/postgres/port.ts";
import type { RedisConnection } from "../../../src/platform/redis/connection.ts";
import { openTestDatabase, openTestRedis, type TestDatabase } from "./backends.ts";

let postgres: TestDatabase;
let redis: RedisConnection;
beforeAll(async () => {
  postgres = await openTestDatabase();
  redis = openTestRedis();
});
afterAll(async () => {
  await redis.close();
  await postgres.drop();
});

const backends: [string, () => RateLimiter][] = [
  ["Redis", () => createRateLimiter({ redis, database: postgres.database })],
  ["PostgreSQL", () => createRateLimiter({ redis: undefined, database: postgres.database })],
  ["memory", () => createMemoryRateLimiter(systemClock)],
];

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(backends)("rate limiter over %s", (_, create) => {
  let limiter: RateLimiter;
  beforeAll(() => {
    limiter = create();
  });
  const hit = (key: string, rule: LimitRule) => limiter.hit({ key: `auth:b:ip:${key}`, bucket: "b", rule });

  it("allows up to the limit, then names the wait until the oldest hit leaves the window", async () => {
    const rule = { limit: 3, windowSeconds: 60 };
    expect(await hit("limit", rule)).toEqual({ allowed: true, limit: 3, remaining: 2 });
    expect(await hit("limit", rule)).toEqual({ allowed: true, limit: 3, remaining: 1 });
    expect(await hit("limit", rule)).toEqual({ allowed: true, limit: 3, remaining: 0 });
    expect(await hit("limit", rule)).toEqual({
      allowed: false,
      limit: 3,
      remaining: 0,
      reason: "limit_exceeded",
      retryAfterSeconds: 60,
    });
  });

  it("never lets parallel hits overshoot", async () => {
    const rule = { limit: 10, windowSeconds: 60 };
    const decisions = await Promise.all(Array.from({ length: 60 }, () => hit("race", rule)));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(10);
    expect(
      decisions
        .filter(({ allowed }) => allowed)
        .map(({ remaining }) => remaining)
        .sort((a, b) => b - a),
    ).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it("does not record denied hits: the window opens when the accepted ones are old", async () => {
    const rule = { limit: 2, windowSeconds: 1 };
    await hit("slide", rule);
    await hit("slide", rule);
    for (let i = 0; i < 5; i++) {
      expect((await hit("slide", rule)).allowed).toBe(false);
      await sleep(100);
    }
    await sleep(600);
    expect(await hit("slide", rule)).toEqual({ allowed: true, limit: 2, remaining: 1 });
  });

  it("keeps the cooldown between accepted hits and names it as the reason", async () => {
    const rule = { limit: 6, windowSeconds: 3600, cooldownSeconds: 60 };
    expect((await hit("cool", rule)).allowed).toBe(true);
    expect(await hit("cool", rule)).toEqual({
      allowed: false,
      limit: 6,
      remaining: 5,
      reason: "cooldown",
      retryAfterSeconds: 60,
    });
  });

  it("lets the longer of cooldown and window decide the reason", async () => {
    const rule = { limit: 1, windowSeconds: 3600, cooldownSeconds: 60 };
    expect((await hit("both", rule)).allowed).toBe(true);
    expect(await hit("both", rule)).toMatchObject({
      reason: "limit_exceeded",
      retryAfterSeconds: 3600,
      remaining: 0,
    });
  });

  it("passes one of many parallel hits under a cooldown", async () => {
    const rule = { limit: 6, windowSeconds: 3600, cooldownSeconds: 60 };
    const decisions = await Promise.all(Array.from({ length: 30 }, () => hit("coolrace", rule)));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(1);
  });

  it("answers the shortest wait with at least one second", async () => {
    const rule = { limit: 1, windowSeconds: 1 };
    await hit("short", rule);
    await sleep(900);
    expect(await hit("short", rule)).toMatchObject({ allowed: false, retryAfterSeconds: 1 });
  });

  it("refuses everything under a limit of zero", async () => {
    expect(await hit("zero", { limit: 0, windowSeconds: 30 })).toEqual({
      allowed: false,
      limit: 0,
      remaining: 0,
      reason: "limit_exceeded",
      retryAfterSeconds: 30,
    });
  });

  it("waits for the right hit after the limit was lowered", async () => {
    await hit("lowered", { limit: 3, windowSeconds: 100 });
    await hit("lowered", { limit: 3, windowSeconds: 100 });
    await sleep(1100);
    await hit("lowered", { limit: 3, windowSeconds: 100 });
    expect(await hit("lowered", { limit: 1, windowSeconds: 100 })).toMatchObject({
      allowed: false,
      retryAfterSeconds: 100,
    });
    expect(await hit("lowered", { limit: 3, windowSeconds: 100 })).toMatchObject({
      allowed: false,
      retryAfterSeconds: 99,
    });
  });
});

it("keeps the contract's key and layout in Redis, and lets keys expire", async () => {
  const limiter = createRateLimiter({ redis, database: postgres.database });
  await limiter.hit({
    key: "auth:auth_token:ip:203.0.113.7",
    bucket: "auth_token",
    rule: { limit: 30, windowSeconds: 60 },
  });
  const key = redis.key("auth:auth_token:ip:203.0.113.7:auth_token");
  const members = await redis.run((client) => client.zrangebyscore(key, "-inf", "+inf", "WITHSCORES"));
  const ttl = await redis.run((client) => client.pttl(key));
  expect(members).toHaveLength(2);
  expect(members).toEqual([expect.stringMatching(/^\d{13}:\d{1,6}$/), expect.stringMatching(/^\d{13}$/)]);
  expect(members[0]?.split(":")[0]).toBe(members[1]);
  expect(ttl).toBeGreaterThan(59_000);
  expect(ttl).toBeLessThanOrEqual(61_000);
});

describe("hits from before the clock was set back by an hour", () => {
  const rule = { limit: 2, windowSeconds: 60, cooldownSeconds: 30 };
  const check = { key: "auth:b:ip:future", bucket: "b", rule };
  const spend = async (limiter: RateLimiter): Promise<void> => {
    expect((await limiter.hit(check)).allowed).toBe(true);
    expect((await limiter.hit(check)).allowed).toBe(false);
  };
  /** Let in at once, and then no longer shut out than the rule says. */
  const isOpen = async (limiter: RateLimiter): Promise<void> => {
    expect(await limiter.hit(check)).toEqual({ allowed: true, limit: 2, remaining: 1 });
    const next = await limiter.hit(check);
    expect(next).toMatchObject({ allowed: false, reason: "cooldown" });
    expect(next.retryAfterSeconds).toBeLessThanOrEqual(30);
  };

  it("lock nobody out over Redis", async () => {
    const limiter = createRateLimiter({ redis, database: postgres.database });
    await spend(limiter);
    const name = redis.key(`${check.key}:${check.bucket}`);
    await redis.run(async (client) => {
      for (const member of await client.zrange(name, "0", "-1"))
        await client.zincrby(name, 3_600_000, member);
    });
    await isOpen(limiter);
  });

  it("lock nobody out over PostgreSQL", async () => {
    const limiter = createRateLimiter({ redis: undefined, database: postgres.database });
    await spend(limiter);
    await postgres.database.run(
      sql(
        "test.future",
        (s) =>
          `UPDATE ${s}.rate_limits SET hits = ARRAY(SELECT h + interval '1 hour' FROM unnest(hits) AS h) WHERE key = $1`,
      ),
      [`${check.key}:${check.bucket}`],
    );
    await isOpen(limiter);
  });

  it("lock nobody out in memory", async () => {
    let now = Date.now();
    const limiter = createMemoryRateLimiter({ ...systemClock, millis: () => now });
    await spend(limiter);
    now -= 3_600_000;
    await isOpen(limiter);
  });
});

it("sweeps logs whose window has passed", async () => {
  const limiter = createRateLimiter({ redis: undefined, database: postgres.database });
  await sweepRateLimits(postgres.database);
  const hitOnce = (windowSeconds: number) =>
    limiter.hit({ key: `auth:s:ip:${windowSeconds}`, bucket: "s", rule: { limit: 1, windowSeconds } });
  await hitOnce(0.05);
  await hitOnce(600);
  await sleep(1200);
  expect(await sweepRateLimits(postgres.database)).toBe(1);
});
