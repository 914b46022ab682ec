import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bus } from "../../../src/platform/bus/port.ts";
import { createRedisBus } from "../../../src/platform/bus/redis.ts";
import { createRedisEphemeralStore } from "../../../src/platform/ephemeral/redis.ts";
import { createRedisRateLimiter } from "../../../src/platform/limiter/redis.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { connectRedis, type RedisConnection } from "../../../src/platform/redis/connection.ts";
import {
  atRedis,
  type RedisCluster,
  type SentinelRedis,
  sentinelName,
  startRedisCluster,
  startSentinelRedis,
} from "../../support/redis-topologies.ts";
import { testRedisConfig } from "./backends.ts";

async function eventually(check: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error("did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("Redis Cluster of three nodes", () => {
  let servers: RedisCluster;
  let redis: RedisConnection;
  let bus: Bus;

  beforeAll(async () => {
    servers = await startRedisCluster();
    redis = connectRedis(
      {
        ...testRedisConfig(),
        mode: "cluster",
        nodes: servers.nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
      },
      silentLog,
      { name: "cluster" },
    );
    bus = createRedisBus(redis, silentLog, systemRandom, { name: "cluster-bus" });
  });
  afterAll(async () => {
    await bus.close();
    await redis.close();
    await servers.stop();
  });

  it("keeps ephemeral state on all nodes, several keys at once included", async () => {
    const store = createRedisEphemeralStore(redis);
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
    await Promise.all(keys.map((key) => store.set(key, `v-${key}`, 60)));
    expect(await store.getMany(keys)).toEqual(keys.map((key) => `v-${key}`));
    expect(await Promise.all(keys.slice(0, 10).map((key) => store.compareAndTake(key, `v-${key}`)))).toEqual(
      Array(10).fill(true),
    );
    await store.delete(...keys);
    expect(await store.getMany(keys)).toEqual(keys.map(() => undefined));
    const sizes = await Promise.all(
      servers.nodes.map(({ port }) => atRedis(port, (client) => client.dbsize())),
    );
    expect(sizes).toEqual([0, 0, 0]);
  });

  it("limits on whichever node a key lives", async () => {
    const limiter = createRedisRateLimiter(redis);
    for (let i = 0; i < 12; i++) {
      const check = { key: `auth:b:ip:10.0.0.${i}`, bucket: "b", rule: { limit: 1, windowSeconds: 60 } };
      expect((await limiter.hit(check)).allowed).toBe(true);
      expect((await limiter.hit(check)).allowed).toBe(false);
    }
  });

  it("carries messages, and goes on from another node when the one listened to dies", async () => {
    const heard: string[] = [];
    let reconnected = 0;
    bus.onReconnect(() => reconnected++);
    await bus.subscribe("news", (message) => heard.push(message));
    await bus.publish("news", "one");
    expect(heard).toEqual(["one"]);
    // The subscriber starts at the first node.
    await servers.nodes[0]?.stop();
    await eventually(() => reconnected === 1, 10_000);
    await atRedis(servers.nodes[1]?.port ?? 0, (client) => client.publish(redis.key("news"), "other two"));
    await eventually(() => heard.includes("two"), 2_000);
  });
});

describe("Redis behind Sentinel", () => {
  let servers: SentinelRedis;
  let redis: RedisConnection;

  beforeAll(async () => {
    servers = await startSentinelRedis();
    redis = connectRedis(
      {
        ...testRedisConfig(),
        mode: "sentinel",
        sentinelName,
        nodes: [{ host: "127.0.0.1", port: servers.sentinel.port }],
      },
      silentLog,
      { name: "sentinel" },
    );
  });
  afterAll(async () => {
    await redis.close();
    await servers.stop();
  });

  it("finds the primary, and the new one after a failover", async () => {
    const store = createRedisEphemeralStore(redis);
    await store.set("before", "1", 60);
    await atRedis(servers.primary.port, (client) => client.call("WAIT", 1, 2000));
    await servers.primary.kill();
    await eventually(
      () =>
        store.set("after", "2", 60).then(
          () => true,
          () => false,
        ),
      20_000,
    );
    expect(await store.getMany(["before", "after"])).toEqual(["1", "2"]);
    expect(await atRedis(servers.replica.port, (client) => client.get(redis.key("after")))).toBe("2");
  });
});
