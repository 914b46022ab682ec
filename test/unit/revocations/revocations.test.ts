import { describe, expect, it } from "vitest";
import { AuthError } from "../../../src/contract/errors/index.ts";
import { createRevocations } from "../../../src/core/revocations/index.ts";
import { decodeMessage, encodeMessage, maxIdsPerMessage } from "../../../src/core/revocations/message.ts";
import { createOutbox } from "../../../src/core/revocations/outbox.ts";
import { createRecentIds } from "../../../src/core/revocations/recent-ids.ts";
import type { Bus } from "../../../src/platform/bus/port.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import type { Database } from "../../../src/platform/postgres/port.ts";
import { testConfig } from "../../support/config.ts";
import { testClock } from "../tokens/fixtures.ts";

const userId = "019f0000-0000-7000-8000-0000000000aa";

interface TestBus extends Bus {
  up: boolean;
  readonly published: string[];
  fail: boolean;
  gate: Promise<void> | undefined;
}

function testBus(): TestBus {
  const listeners: ((message: string) => void)[] = [];
  return {
    up: true,
    fail: false,
    gate: undefined,
    published: [],
    async publish(_, message) {
      await this.gate;
      if (this.fail) throw new AuthError("service_unavailable");
      this.published.push(message);
      for (const listener of listeners) listener(message);
    },
    async subscribe(_, listener) {
      listeners.push(listener);
      return async () => undefined;
    },
    onReconnect: () => undefined,
    connected() {
      return this.up;
    },
    close: async () => undefined,
  };
}

/** A database that knows one user's state, or nothing at all. */
class TestDatabase implements Database {
  reads = 0;
  readonly schema = "profiles";
  readonly pool = { total: 0, idle: 0, waiting: 0 };
  readonly #answer: () => object | undefined;

  constructor(answer: () => object | undefined) {
    this.#answer = answer;
  }

  async rows<R extends object>(): Promise<R[]> {
    return [];
  }

  async row<R extends object>(): Promise<R | undefined> {
    this.reads++;
    return this.#answer() as R | undefined;
  }

  async run(): Promise<number> {
    return 0;
  }

  transaction<T>(): Promise<T> {
    return Promise.reject(new Error("unused"));
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {}
}

const live = {
  deletedAt: null,
  reserved: false,
  bannedAt: null,
  bannedUntil: null,
  banReason: null,
  bannedBy: null,
  sessionLive: true,
};

function open(answer: () => object | undefined) {
  const bus = testBus();
  const clock = testClock(1_782_475_200);
  const database = new TestDatabase(answer);
  const revocations = createRevocations({ config: testConfig(), database, bus, clock, log: silentLog });
  return { bus, clock, database, revocations };
}

describe("access", () => {
  it("comes from the database until started and while the feed is down, from memory otherwise", async () => {
    const { bus, database, revocations } = open(() => live);
    expect(await revocations.access(userId, undefined)).toBe("admitted");
    expect(database.reads).toBe(1);
    await revocations.start();
    expect(revocations.access(userId, undefined)).toBe("admitted");
    bus.up = false;
    expect(revocations.access(userId, undefined)).toBeInstanceOf(Promise);
    bus.up = true;
    // Back, but what was missed has not been read yet.
    expect(revocations.access(userId, undefined)).toBeInstanceOf(Promise);
    await revocations.close();
  });

  it("with neither feed nor database nobody is let in unseen, and the next question asks again", async () => {
    let down = true;
    const { bus, revocations } = open(() => {
      if (down) throw new AuthError("service_unavailable");
      return live;
    });
    await revocations.start();
    bus.up = false;
    await expect(revocations.access(userId, undefined)).rejects.toThrow("service_unavailable");
    down = false;
    expect(await revocations.access(userId, undefined)).toBe("admitted");
    await revocations.close();
  });

  it("asks the database about a suspect at most once a second", async () => {
    const { clock, database, revocations } = open(() => ({ ...live, bannedAt: new Date(0) }));
    await revocations.start();
    await revocations.revokeUser(userId);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => revocations.access(userId, undefined)),
    );
    expect(new Set(answers)).toEqual(new Set(["user_disabled"]));
    const asked = database.reads;
    clock.advance(0.9);
    await revocations.access(userId, undefined);
    expect(database.reads).toBe(asked);
    clock.advance(0.2);
    await revocations.access(userId, undefined);
    expect(database.reads).toBe(asked + 1);
    await revocations.close();
  });

  it("an answer on its way when the user is revoked is not kept", async () => {
    let banned = false;
    const { bus, revocations } = open(() => (banned ? undefined : live));
    await revocations.start();
    bus.up = false;
    const early = revocations.access(userId, undefined);
    banned = true;
    await revocations.revokeUser(userId);
    expect(await early).toBe("admitted");
    expect(await revocations.access(userId, undefined)).toBe("user_disabled");
    await revocations.close();
  });

  it("an ended session stays ended even when the database cannot be asked", async () => {
    const { revocations } = open(() => {
      throw new AuthError("service_unavailable");
    });
    await revocations.start();
    await revocations.revokeSession("019f0000-0000-7000-8000-000000000001");
    expect(await revocations.access(userId, "019f0000-0000-7000-8000-000000000001")).toBe("token_revoked");
    await revocations.close();
  });
});

describe("remembered ids", () => {
  it("stay for the lifetime and are gone soon after", () => {
    const clock = testClock(0);
    const ids = createRecentIds(clock, 900_000, 1_000);
    for (let at = 0; at < 5_000; at += 50) {
      ids.add(`id-${at}`);
      for (let age = 0; age <= 900; age += 50) if (at >= age) expect(ids.has(`id-${at - age}`)).toBe(true);
      if (at >= 1_300) expect(ids.has(`id-${at - 1_300}`)).toBe(false);
      clock.advance(50);
    }
    clock.advance(10_000);
    expect(ids.has("id-4950")).toBe(false);
  });

  it("say so when there was no room", () => {
    const clock = testClock(0);
    const ids = createRecentIds(clock, 900_000, 10);
    for (let n = 0; n < 10; n++) ids.add(`id-${n}`);
    expect(ids.overflowed()).toBe(false);
    ids.add("one too many");
    expect(ids.overflowed()).toBe(true);
    clock.advance(901);
    expect(ids.overflowed()).toBe(false);
  });
});

describe("outbox", () => {
  it("gathers what comes while a message is on its way, in messages that fit", async () => {
    const bus = testBus();
    let release = () => {};
    bus.gate = new Promise((resolve) => {
      release = resolve;
    });
    const outbox = createOutbox(bus, silentLog);
    const first = outbox.user("first");
    const rest = Array.from({ length: 400 }, (_, n) => outbox.session(`session-${n}`));
    release();
    await Promise.all([first, ...rest]);
    const sizes = bus.published.map((message) => {
      const decoded = decodeMessage(message);
      return (decoded?.users.length ?? 0) + (decoded?.sessions.length ?? 0);
    });
    expect(sizes[0]).toBe(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(401);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxIdsPerMessage);
    expect(bus.published.length).toBeLessThanOrEqual(5);
    await outbox.close();
  });

  it("keeps what the bus refused and sends it when it is back", async () => {
    const bus = testBus();
    bus.fail = true;
    const outbox = createOutbox(bus, silentLog);
    await expect(outbox.user("u1")).rejects.toThrow("service_unavailable");
    bus.fail = false;
    await outbox.session("s1");
    expect(bus.published.map(decodeMessage)).toEqual([{ users: ["u1"], sessions: ["s1"] }]);
    await outbox.close();
  });

  it("tries again by itself", async () => {
    const bus = testBus();
    bus.fail = true;
    const outbox = createOutbox(bus, silentLog);
    await expect(outbox.user("u1")).rejects.toThrow("service_unavailable");
    bus.fail = false;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(bus.published.map(decodeMessage)).toEqual([{ users: ["u1"], sessions: [] }]);
    await outbox.close();
  });
});

describe("messages", () => {
  it("fit into a notification and survive the way", () => {
    const ids = Array.from({ length: maxIdsPerMessage }, () => userId);
    const text = encodeMessage({ users: [], sessions: ids });
    expect(text.length).toBeLessThan(7_800);
    expect(decodeMessage(text)).toEqual({ users: [], sessions: ids });
  });

  it.each(["", "x", "null", "7", '"u"'])("%j is none", (text) => {
    expect(decodeMessage(text)).toBeUndefined();
  });

  it("skips what is no id", () => {
    expect(decodeMessage('{"u":["a",7,null],"s":"x"}')).toEqual({ users: ["a"], sessions: [] });
  });
});
