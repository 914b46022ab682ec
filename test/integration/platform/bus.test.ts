import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Bus, createBus } from "../../../src/platform/bus/index.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { connectRedis, type RedisConnection } from "../../../src/platform/redis/connection.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { openTestDatabase, type TestDatabase, testRedisConfig } from "./backends.ts";

let postgres: TestDatabase;
let server: TestRedis;
beforeAll(async () => {
  postgres = await openTestDatabase();
  server = await startTestRedis();
});
afterAll(async () => {
  await server.stop();
  await postgres.drop();
});

async function eventually(check: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!check()) {
    if (Date.now() > deadline) throw new Error("did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Node {
  readonly bus: Bus;
  close(): Promise<void>;
}

const opened: Node[] = [];
afterEach(async () => {
  for (const node of opened.splice(0)) await node.close();
});

function openNode(over: "redis" | "postgres", redisConfig: ReturnType<typeof testRedisConfig>): Node {
  const redis: RedisConnection | undefined =
    over === "redis" ? connectRedis(redisConfig, silentLog, { name: "bus-test" }) : undefined;
  const bus = createBus(
    { redis, postgres: { connectionString: postgres.url }, schema: postgres.database.schema },
    silentLog,
    systemRandom,
    { name: "bus-test" },
  );
  const node = {
    bus,
    async close() {
      await bus.close();
      await redis?.close();
    },
  };
  opened.push(node);
  return node;
}

async function interruptFeeds(over: "redis" | "postgres"): Promise<void> {
  if (over === "redis") {
    await server.stop();
    server = await startTestRedis({ port: server.port });
    return;
  }
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'authkit bus'",
  );
  await client.end();
}

describe.each(["redis", "postgres"] as const)("bus over %s", (over) => {
  it("reaches every node, the publisher included, before publish resolves", async () => {
    const config = testRedisConfig(server.url);
    const [a, b] = [openNode(over, config), openNode(over, config)];
    const heardA: string[] = [];
    const heardB: string[] = [];
    await a.bus.subscribe("revocations", (message) => heardA.push(message));
    await b.bus.subscribe("revocations", (message) => heardB.push(message));
    const message = JSON.stringify({ user: "ü", note: "two words" });
    await a.bus.publish("revocations", message);
    expect(heardA).toEqual([message]);
    await eventually(() => heardB.length === 1, 1_000);
    expect(heardB).toEqual([message]);
    await a.bus.publish("other", "x");
    expect(heardA).toHaveLength(1);
  });

  it("waits for the echo, not for the time-out, also where nobody here subscribed", async () => {
    const node = openNode(over, testRedisConfig(server.url));
    await node.bus.publish("first", "opens the connection");
    const began = performance.now();
    for (let i = 0; i < 10; i++) await node.bus.publish("lonely", String(i));
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("stops calling a listener that was removed, and survives one that throws", async () => {
    const { bus } = openNode(over, testRedisConfig(server.url));
    const heard: string[] = [];
    await bus.subscribe("c", () => {
      throw new Error("broken listener");
    });
    const end = await bus.subscribe("c", (message) => heard.push(message));
    await bus.publish("c", "1");
    await end();
    await bus.publish("c", "2");
    expect(heard).toEqual(["1"]);
  });

  it("tells when the feed was interrupted, and hears again", async () => {
    const { bus } = openNode(over, testRedisConfig(server.url));
    const heard: string[] = [];
    let reconnects = 0;
    bus.onReconnect(() => reconnects++);
    await bus.subscribe("c", (message) => heard.push(message));
    await bus.publish("c", "before");
    expect(reconnects).toBe(0);
    const began = performance.now();
    await interruptFeeds(over);
    await eventually(() => reconnects === 1, 5_000);
    expect(performance.now() - began).toBeLessThan(3_500);
    await bus.publish("c", "after");
    expect(heard).toEqual(["before", "after"]);
  });
});

it("says that something may have been missed when the server only came up after subscribing", async () => {
  const config = testRedisConfig(server.url);
  const { port } = server;
  await server.stop();
  const { bus } = openNode("redis", config);
  let reconnects = 0;
  bus.onReconnect(() => reconnects++);
  const heard: string[] = [];
  await bus.subscribe("c", (message) => heard.push(message));
  await expect(bus.publish("c", "lost")).rejects.toMatchObject({ code: "service_unavailable" });
  server = await startTestRedis({ port });
  await eventually(() => reconnects === 1, 3_000);
  await bus.publish("c", "heard");
  expect(heard).toEqual(["heard"]);
});
