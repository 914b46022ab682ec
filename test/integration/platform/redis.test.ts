import { afterEach, describe, expect, it } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import { createRedisEphemeralStore } from "../../../src/platform/ephemeral/redis.ts";
import type { Log } from "../../../src/platform/log/port.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { connectRedis, type RedisConnection } from "../../../src/platform/redis/connection.ts";
import { assertRedisUsable, evictsLiveKeys } from "../../../src/platform/redis/requirements.ts";
import { freePort } from "../../support/ports.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { openTestRedis, testRedisConfig } from "./backends.ts";

const open: { close?(): Promise<void>; stop?(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) {
    await one.close?.();
    await one.stop?.();
  }
});
function keep<T extends RedisConnection | TestRedis>(one: T): T {
  open.push(one);
  return one;
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; error: unknown }> {
  const began = performance.now();
  const error = await work().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { ms: performance.now() - began, error };
}

describe("errors of a socket that has failed already", () => {
  it("are heard, so that none of them ends the process", async () => {
    const server = keep(await startTestRedis());
    const redis = keep(openTestRedis(server.url));
    await redis.ping();
    const stream = await redis.run(async (client) => ("stream" in client ? client.stream : undefined));
    for (const message of ["certificate refused", "alert"]) stream?.emit("error", new Error(message));
    stream?.destroy();
    expect(stream?.listenerCount("error")).toBe(1);
    await redis.ping();
  });
});

describe("a Redis that goes away", () => {
  it("fails commands with service_unavailable within about a second and serves again two seconds after its return", async () => {
    const lines: string[] = [];
    const log: Log = {
      ...silentLog,
      error: (_, message) => lines.push(message),
      info: (_, message) => lines.push(message),
    };
    const server = await startTestRedis();
    const redis = keep(openTestRedis(server.url, log));
    const store = createRedisEphemeralStore(redis);
    await store.set("k", "v", 60);
    expect(await store.compareAndTake("k", "v")).toBe(true);

    await server.stop();
    const first = await timed(() => store.get("k"));
    expect(isAuthError(first.error, "service_unavailable")).toBe(true);
    expect(first.error).toMatchObject({ retryAfter: 1 });
    expect(first.ms).toBeLessThan(1_500);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const later = await timed(() => store.get("k"));
    expect(isAuthError(later.error, "service_unavailable")).toBe(true);
    expect(later.ms).toBeLessThan(100);

    keep(await startTestRedis({ port: server.port }));
    const returned = performance.now();
    while ((await timed(() => redis.ping())).error !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(performance.now() - returned).toBeLessThan(2_000);
    // The new server knows no script yet.
    await store.set("k", "v", 60);
    expect(await store.compareAndTake("k", "v")).toBe(true);
    expect(await store.increment("n", 60)).toBe(1);
    expect(lines).toEqual(["redis is unreachable", "redis is reachable again"]);
  });

  it("rejects a command that was under way when the connection was cut", async () => {
    const server = await startTestRedis();
    const redis = keep(openTestRedis(server.url));
    await redis.ping();
    const waiting = timed(() => redis.run((client) => client.blpop("never", 0)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.stop();
    const { ms, error } = await waiting;
    expect(isAuthError(error, "service_unavailable")).toBe(true);
    expect(ms).toBeLessThan(3_500);
  });

  it("leaves a server that hangs: the first command waits three seconds, later ones fail at once", async () => {
    const server = keep(await startTestRedis());
    const redis = keep(openTestRedis(server.url));
    await redis.ping();
    server.pause();
    const first = await timed(() => redis.ping());
    expect(isAuthError(first.error, "service_unavailable")).toBe(true);
    expect(first.ms).toBeLessThan(3_500);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const later = await timed(() => redis.ping());
    expect(isAuthError(later.error, "service_unavailable")).toBe(true);
    expect(later.ms).toBeLessThan(100);
    server.resume();
    const returned = performance.now();
    while ((await timed(() => redis.ping())).error !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(performance.now() - returned).toBeLessThan(2_000);
  });

  it("keeps an idle connection", async () => {
    const server = keep(await startTestRedis());
    const redis = keep(openTestRedis(server.url));
    const id = await redis.run((client) => client.client("ID"));
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(await redis.run((client) => client.client("ID"))).toBe(id);
  });

  it("rejects commands to an address nobody listens on", async () => {
    const redis = keep(openTestRedis(`redis://127.0.0.1:${await freePort()}`));
    const { ms, error } = await timed(() => redis.ping());
    expect(isAuthError(error, "service_unavailable")).toBe(true);
    expect(ms).toBeLessThan(1_500);
  });
});

describe("requirements", () => {
  it("accepts the server of this machine and reads its eviction policy", async () => {
    const facts = await assertRedisUsable(keep(openTestRedis()));
    expect(facts.version).toMatch(/^\d+\.\d+/);
    expect(facts.evictionPolicy).toBe("noeviction");
    expect(evictsLiveKeys(facts)).toBe(false);
    expect(evictsLiveKeys({ version: "7.0", evictionPolicy: "allkeys-lru" })).toBe(true);
  });

  it.each(["6.0.16", "5.0.14", "2.8.24"])("refuses version %s with the remedy", async (version) => {
    const old: RedisConnection = {
      ...openTestRedisStub(),
      run: async <T>() => `redis_version:${version}\r\nmaxmemory_policy:noeviction\r\n` as T,
    };
    await expect(assertRedisUsable(old)).rejects.toThrow(
      `Redis ${version} is too old: 6.2 or later is needed. Upgrade the server AUTHKIT_REDIS_URL points to.`,
    );
  });
});

function openTestRedisStub(): Omit<RedisConnection, "run"> {
  return {
    config: testRedisConfig(),
    clustered: false,
    key: (name) => name,
    ping: async () => undefined,
    close: async () => undefined,
  };
}

it("logs in as an ACL user limited to the deployment's prefix", async () => {
  const server = keep(
    await startTestRedis({
      args: ["--user", "default", "off", "--user", "authkit", "on", ">s3cret", "~app:*", "&app:*", "+@all"],
    }),
  );
  const base = { ...testRedisConfig(server.url), keyPrefix: "app:" };
  const allowed = keep(
    connectRedis({ ...base, username: "authkit", password: "s3cret" }, silentLog, { name: "acl" }),
  );
  const store = createRedisEphemeralStore(allowed);
  await store.set("x", "1", 60);
  expect(await store.take("x")).toBe("1");
  const denied = keep(
    connectRedis({ ...base, username: "authkit", password: "wrong" }, silentLog, { name: "acl" }),
  );
  expect(isAuthError((await timed(() => denied.ping())).error, "service_unavailable")).toBe(true);
});
