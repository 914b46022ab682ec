import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bus } from "../../../src/platform/bus/port.ts";
import { createRedisBus } from "../../../src/platform/bus/redis.ts";
import { createRedisEphemeralStore } from "../../../src/platform/ephemeral/redis.ts";
import { createRedisRateLimiter } from "../../../src/platform/limiter/redis.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { connectRedis, type RedisConnection } from "../../../src/platform/redis/connection.ts";
import { freePort, startTestRedis, type TestRedis } from "../../support/redis.ts";
import { testRedisConfig } from "./backends.ts";

async function eventually(check: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error("did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function command<T>(port: number, run: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ host: "127.0.0.1", port, retryStrategy: null, replyMapping: "legacy" });
  client.on("error", () => undefined);
  try {
    return await run(client);
  } finally {
    client.disconnect();
  }
}

describe("Redis Cluster of three nodes", () => {
  let nodes: TestRedis[];
  let redis: RedisConnection;
  let bus: Bus;

  beforeAll(async () => {
    const start = async () => {
      // The bus between the nodes listens 10 000 above the client port.
      const port = await freePort();
      return startTestRedis({
        args: ["--cluster-enabled", "yes", "--cluster-port", String(await freePort())],
        port,
      });
    };
    nodes = await Promise.all([start(), start(), start()]);
    const slots = [
      [0, 5460],
      [5461, 10922],
      [10923, 16383],
    ] as const;
    for (const [i, node] of nodes.entries()) {
      const [from, to] = slots[i] ?? [0, 0];
      await command(node.port, (client) => client.call("CLUSTER", "ADDSLOTSRANGE", from, to));
      await command(node.port, (client) => client.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1));
    }
    const [first, ...others] = nodes;
    for (const other of others) {
      const busPort = await command(other.port, (client) => client.config("GET", "cluster-port"));
      await command(first?.port ?? 0, (client) =>
        client.call(
          "CLUSTER",
          "MEET",
          "127.0.0.1",
          other.port,
          String(Array.isArray(busPort) ? busPort[1] : ""),
        ),
      );
    }
    for (const node of nodes) {
      await eventually(
        async () =>
          /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(
            String(await command(node.port, (c) => c.cluster("INFO"))),
          ),
        20_000,
      );
    }
    redis = connectRedis(
      {
        ...testRedisConfig(),
        mode: "cluster",
        nodes: nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
      },
      silentLog,
      { name: "cluster" },
    );
    bus = createRedisBus(redis, silentLog, systemRandom, { name: "cluster-bus" });
  });
  afterAll(async () => {
    await bus.close();
    await redis.close();
    await Promise.all(nodes.map((node) => node.stop()));
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
    const sizes = await Promise.all(nodes.map(({ port }) => command(port, (client) => client.dbsize())));
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
    await nodes[0]?.stop();
    await eventually(() => reconnected === 1, 10_000);
    await command(nodes[1]?.port ?? 0, (client) => client.publish(redis.key("news"), "other two"));
    await eventually(() => heard.includes("two"), 2_000);
  });
});

describe("Redis behind Sentinel", () => {
  let primary: TestRedis;
  let replica: TestRedis;
  let sentinel: TestRedis;
  let redis: RedisConnection;

  beforeAll(async () => {
    primary = await startTestRedis();
    replica = await startTestRedis({ args: ["--replicaof", "127.0.0.1", String(primary.port)] });
    const port = await freePort();
    const file = join(tmpdir(), `authkit-sentinel-${port}.conf`);
    await writeFile(
      file,
      [
        `sentinel monitor keys 127.0.0.1 ${primary.port} 1`,
        "sentinel down-after-milliseconds keys 500",
        "sentinel failover-timeout keys 3000",
        "",
      ].join("\n"),
    );
    sentinel = await startTestRedis({ port, configFile: file });
    await eventually(
      async () =>
        /slave0:.*state=online/.test(await command(primary.port, (client) => client.info("replication"))),
      15_000,
    );
    await eventually(
      async () => /slaves=1/.test(await command(sentinel.port, (client) => client.info("sentinel"))),
      20_000,
    );
    redis = connectRedis(
      {
        ...testRedisConfig(),
        mode: "sentinel",
        sentinelName: "keys",
        nodes: [{ host: "127.0.0.1", port: sentinel.port }],
      },
      silentLog,
      { name: "sentinel" },
    );
  });
  afterAll(async () => {
    await redis.close();
    await Promise.all([sentinel.stop(), replica.stop(), primary.stop()]);
  });

  it("finds the primary, and the new one after a failover", async () => {
    const store = createRedisEphemeralStore(redis);
    await store.set("before", "1", 60);
    await command(primary.port, (client) => client.call("WAIT", 1, 2000));
    await primary.stop();
    await eventually(
      () =>
        store.set("after", "2", 60).then(
          () => true,
          () => false,
        ),
      20_000,
    );
    expect(await store.getMany(["before", "after"])).toEqual(["1", "2"]);
    expect(await command(replica.port, (client) => client.get(redis.key("after")))).toBe("2");
  });
});
