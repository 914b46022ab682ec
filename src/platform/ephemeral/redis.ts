import type { RedisConnection } from "../redis/connection.ts";
import { redisScript } from "../redis/script.ts";
import type { EphemeralStore } from "./port.ts";

const compareAndTake = redisScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1`);

const compareAndSet = redisScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`);

const increment = redisScript(`
local count = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return count`);

/** Ephemeral state as plain Redis strings. */
export function createRedisEphemeralStore(redis: RedisConnection): EphemeralStore {
  return {
    async set(key, value, ttlSeconds) {
      await redis.run((client) => client.set(redis.key(key), value, "PX", millis(ttlSeconds)));
    },
    async setIfAbsent(key, value, ttlSeconds) {
      const reply = await redis.run((client) =>
        client.set(redis.key(key), value, "PX", millis(ttlSeconds), "NX"),
      );
      return reply === "OK";
    },
    async get(key) {
      return (await redis.run((client) => client.get(redis.key(key)))) ?? undefined;
    },
    async getMany(keys) {
      if (keys.length === 0) return [];
      const names = keys.map((key) => redis.key(key));
      const values = await redis.run((client) =>
        // MGET over several slots is refused by a Cluster.
        redis.clustered ? Promise.all(names.map((name) => client.get(name))) : client.mget(names),
      );
      return values.map((value) => value ?? undefined);
    },
    async take(key) {
      return (await redis.run((client) => client.getdel(redis.key(key)))) ?? undefined;
    },
    async compareAndTake(key, expected) {
      return (await redis.run((client) => compareAndTake.run(client, redis.key(key), expected))) === 1;
    },
    async compareAndSet(key, expected, value) {
      return (await redis.run((client) => compareAndSet.run(client, redis.key(key), expected, value))) === 1;
    },
    async delete(...keys) {
      if (keys.length === 0) return;
      const names = keys.map((key) => redis.key(key));
      await redis.run<unknown>((client) =>
        redis.clustered ? Promise.all(names.map((name) => client.del(name))) : client.del(names),
      );
    },
    async increment(key, ttlSeconds) {
      return Number(await redis.run((client) => increment.run(client, redis.key(key), millis(ttlSeconds))));
    },
  };
}

/** Redis refuses a life-time of zero. */
function millis(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000));
}
