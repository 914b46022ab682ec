import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createEphemeralStore,
  type EphemeralStore,
  sweepEphemeral,
} from "../../../src/platform/ephemeral/index.ts";
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

const backends: [string, () => EphemeralStore][] = [
  ["Redis", () => createEphemeralStore({ redis, database: postgres.database })],
  ["PostgreSQL", () => createEphemeralStore({ redis: undefined, database: postgres.database })],
];

const parallel = <T>(count: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));

describe.each(backends)("ephemeral state over %s", (_, create) => {
  let store: EphemeralStore;
  beforeAll(() => {
    store = create();
  });

  it("replaces a value and reads several in the order asked", async () => {
    await store.set("a", "1", 60);
    await store.set("a", "2", 60);
    await store.set("b", "ü {}'\"", 60);
    expect(await store.get("a")).toBe("2");
    expect(await store.getMany(["b", "absent", "a"])).toEqual(["ü {}'\"", undefined, "2"]);
    expect(await store.getMany([])).toEqual([]);
    await store.delete("a", "b");
    await store.delete();
    expect(await store.getMany(["a", "b"])).toEqual([undefined, undefined]);
  });

  it("forgets a value when its time is over and then counts the key as free", async () => {
    await store.set("short", "x", 0.2);
    expect(await store.setIfAbsent("short", "y", 60)).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await store.get("short")).toBeUndefined();
    expect(await store.take("short")).toBeUndefined();
    expect(await store.compareAndTake("short", "x")).toBe(false);
    expect(await store.compareAndSet("short", "x", "z")).toBe(false);
    expect(await store.setIfAbsent("short", "y", 60)).toBe(true);
    expect(await store.get("short")).toBe("y");
  });

  it("gives a taken value to exactly one of 50 callers", async () => {
    await store.set("once", "prize", 60);
    const results = await parallel(50, () => store.take("once"));
    expect(results.filter((value) => value === "prize")).toHaveLength(1);
    expect(results.filter((value) => value === undefined)).toHaveLength(49);
  });

  it("lets exactly one of 50 callers occupy a free key", async () => {
    const results = await parallel(50, (i) => store.setIfAbsent("lock", String(i), 60));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await store.get("lock")).toBe(String(results.indexOf(true)));
  });

  it("compares and takes once, and never on a different value", async () => {
    await store.set("code", "h1", 60);
    expect(await store.compareAndTake("code", "h2")).toBe(false);
    const results = await parallel(50, () => store.compareAndTake("code", "h1"));
    expect(results.filter(Boolean)).toHaveLength(1);
  });

  it("replaces a value once from 50 callers and keeps its life-time", async () => {
    await store.set("cas", "old", 0.6);
    const results = await parallel(50, (i) => store.compareAndSet("cas", "old", `new${i}`));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await store.get("cas")).toBe(`new${results.indexOf(true)}`);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await store.get("cas")).toBeUndefined();
  });

  it("counts without losing a step and starts again after the life-time", async () => {
    const counts = await parallel(50, () => store.increment("misses", 0.5));
    expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await store.increment("misses", 60)).toBe(1);
  });
});

it("sweeps expired rows and keeps the others", async () => {
  const store = createEphemeralStore({ redis: undefined, database: postgres.database });
  await sweepEphemeral(postgres.database);
  await store.set("dead1", "x", 0.05);
  await store.set("dead2", "x", 0.05);
  await store.set("alive", "x", 60);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await sweepEphemeral(postgres.database)).toBe(2);
  expect(await store.get("alive")).toBe("x");
});
