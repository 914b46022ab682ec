import type { RedisConnection } from "../redis/connection.ts";
import { redisScript } from "../redis/script.ts";
import { decide, tolerableFutureMs } from "./decision.ts";
import type { RateLimiter } from "./port.ts";

/**
 * Sliding-window log in a sorted set: score = milliseconds, member `<ms>:<ns>`. Pruning, counting, deciding and adding are one
 * script, so parallel requests cannot overshoot, and the server's clock is the only one that counts.
 *
 * KEYS[1] the log; ARGV limit, window ms, cooldown ms. Returns accepted, count before, cooldown left ms, window wait ms.
 */
const hit = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window, cooldown = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now + ${tolerableFutureMs}), '+inf')
local count = redis.call('ZCARD', KEYS[1])
local cooldownLeft, windowWait = 0, 0
if cooldown > 0 and count > 0 then
  local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
  cooldownLeft = math.max(0, last[2] + cooldown - now)
end
if limit <= 0 then
  windowWait = window
elseif count >= limit then
  local leaving = redis.call('ZRANGE', KEYS[1], count - limit, count - limit, 'WITHSCORES')
  windowWait = leaving[2] + window - now
end
if cooldownLeft > 0 or windowWait > 0 then
  return {0, count, cooldownLeft, windowWait}
end
local nanoseconds = (time[2] % 1000) * 1000 + count
redis.call('ZADD', KEYS[1], now, string.format('%.0f:%.0f', now, nanoseconds))
redis.call('PEXPIRE', KEYS[1], window + 1000)
return {1, count, 0, 0}`);

export function createRedisRateLimiter(redis: RedisConnection): RateLimiter {
  return {
    async hit({ key, bucket, rule }) {
      const reply = await redis.run((client) =>
        hit.run(
          client,
          redis.key(`${key}:${bucket}`),
          rule.limit,
          rule.windowSeconds * 1000,
          (rule.cooldownSeconds ?? 0) * 1000,
        ),
      );
      const [accepted = 0, count = 0, cooldownMs = 0, windowMs = 0] = Array.isArray(reply)
        ? reply.map(Number)
        : [];
      return decide(rule, { accepted: accepted === 1, count, cooldownMs, windowMs });
    },
  };
}
