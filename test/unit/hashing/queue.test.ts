import { describe, expect, it } from "vitest";
import { defaultPatience } from "../../../src/platform/hashing/patience.ts";
import { createHashQueue, HashQueueFull } from "../../../src/platform/hashing/queue.ts";

/** Work that ends when told to, and a record of what was started. */
function bench() {
  const started: string[] = [];
  const finish = new Map<string, (value: string) => void>();
  const work = (name: string) => () =>
    new Promise<string>((resolve) => {
      started.push(name);
      finish.set(name, resolve);
    });
  const end = async (name: string): Promise<void> => {
    finish.get(name)?.(name);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { started, work, end };
}

/** A queue with the default patience whose every hash takes as long on a clock that only the test moves. */
function crowd({ hashMs, limit = 1_000 }: { hashMs: number; limit?: number }) {
  let now = 0;
  const running: (() => void)[] = [];
  const queue = createHashQueue({ limit, patience: defaultPatience, now: () => now });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const finishOne = async (): Promise<void> => {
    now += hashMs;
    running.shift()?.();
    await settle();
  };
  return {
    queue,
    finishOne,
    /** So many at once. */
    async burst(count: number) {
      let refused = 0;
      for (let n = 0; n < count; n++)
        queue
          .run("a", () => new Promise<void>((resolve) => running.push(resolve)))
          .catch((error: unknown) => {
            expect(error).toBeInstanceOf(HashQueueFull);
            refused++;
          });
      await settle();
      return { accepted: count - refused, refused };
    },
    /** Ends what was accepted. */
    async pass({ accepted }: { accepted: number }) {
      for (let n = 0; n < accepted; n++) await finishOne();
    },
  };
}

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

describe("the hash queue", () => {
  it("runs one at a time, first come first served", async () => {
    const { started, work, end } = bench();
    const queue = createHashQueue({ limit: 10 });
    const results = ["1", "2", "3"].map((name) => queue.run("a", work(name)));
    expect(started).toEqual(["1"]);
    expect(queue.waiting).toBe(2);
    await end("1");
    expect(started).toEqual(["1", "2"]);
    await end("2");
    await end("3");
    expect(await Promise.all(results)).toEqual(["1", "2", "3"]);
    expect(queue.waiting).toBe(0);
  });

  it("takes turns between clients", async () => {
    const { started, work, end } = bench();
    const queue = createHashQueue({ limit: 10 });
    const all = ["a1", "a2", "a3", "a4", "b1", "c1", "b2"].map((name) =>
      queue.run(name[0] ?? "", work(name)),
    );
    for (const name of ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]) {
      expect(started.at(-1)).toBe(name);
      await end(name);
    }
    await Promise.all(all);
  });

  it("refuses at the limit and says when to come back, from the average cost", async () => {
    let now = 0;
    const { work, end } = bench();
    const queue = createHashQueue({ limit: 2, now: () => now });
    const first = queue.run("a", work("1"));
    const rest = [queue.run("a", work("2")), queue.run("a", work("3"))];
    const refusal = await outcome(queue.run("a", work("4")));
    expect(refusal).toBeInstanceOf(HashQueueFull);
    expect(refusal).toMatchObject({ retryAfter: 1 });

    // The first guess and one hash of 50 seconds make an average of 25 s; two wait.
    now = 50_000;
    await end("1");
    await first;
    rest.push(queue.run("a", work("5")));
    expect(await outcome(queue.run("a", work("6")))).toMatchObject({ retryAfter: 51 });
    for (const name of ["2", "3", "5"]) await end(name);
    await Promise.all(rest);
  });

  it("makes a flooding client give way: its last comer is refused for another's first", async () => {
    const { started, work, end } = bench();
    const queue = createHashQueue({ limit: 3 });
    const flood = ["a1", "a2", "a3", "a4"].map((name) => outcome(queue.run("a", work(name))));
    const other = queue.run("b", work("b1"));
    expect(await flood[3]).toBeInstanceOf(HashQueueFull);
    expect(queue.waiting).toBe(3);
    // The flooder itself finds no room, nor does anybody beyond an equal share.
    expect(await outcome(queue.run("a", work("a5")))).toBeInstanceOf(HashQueueFull);
    expect(await outcome(queue.run("b", work("b2")))).toBeInstanceOf(HashQueueFull);
    for (const name of ["a1", "a2", "b1", "a3"]) await end(name);
    expect(await other).toBe("b1");
    expect(started).toEqual(["a1", "a2", "b1", "a3"]);
  });

  it("lets a burst wait, up to the limit", async () => {
    const { burst } = crowd({ hashMs: 30, limit: 64 });
    expect(await burst(100)).toEqual({ accepted: 1 + 64, refused: 35 });
  });

  it.each([
    { hashMs: 200, comers: 3, length: 3 },
    { hashMs: 30, comers: 3, length: 3 },
    { hashMs: 30, comers: 30, length: 3 },
    { hashMs: 4, comers: 3, length: 12 },
  ])(
    "keeps $length waiting in a queue that stands where each takes $hashMs ms and $comers come for each that is done",
    async ({ hashMs, comers, length }) => {
      const { queue, burst, finishOne } = crowd({ hashMs, limit: 64 });
      await burst(65);
      // More come than are done: one is let in for each that is done, until two seconds are over.
      for (let passed = hashMs; passed <= 2_000; passed += hashMs) {
        await finishOne();
        expect(await burst(comers)).toEqual({ accepted: 1, refused: comers - 1 });
      }
      // From now on nobody is let in until only so many wait.
      for (let n = 0; n < 100; n++) {
        await finishOne();
        await burst(comers);
      }
      expect(queue.waiting).toBe(length);
      for (let n = 0; n < 50; n++) {
        await finishOne();
        expect(await burst(comers)).toEqual({ accepted: 1, refused: comers - 1 });
      }
      // A moment without anybody is not the end of it; a second is.
      while (queue.waiting > 0) await finishOne();
      expect((await burst(100)).refused).toBeGreaterThan(80);
      while (queue.waiting > 0) await finishOne();
      for (let passed = 0; passed <= 1_000; passed += hashMs) await finishOne();
      expect(await burst(100)).toEqual({ accepted: 65, refused: 35 });
    },
  );

  it("lets twelve wait for each other as long as they like, and nobody is refused", async () => {
    const { queue, burst, finishOne } = crowd({ hashMs: 100 });
    await burst(13);
    for (let n = 0; n < 300; n++) {
      await finishOne();
      expect(await burst(1)).toEqual({ accepted: 1, refused: 0 });
    }
    expect(queue.waiting).toBe(12);
  });

  it("keeps more waiting where few are too many", async () => {
    const { queue, burst, finishOne } = crowd({ hashMs: 100 });
    const lengths: number[] = [];
    for (let n = 0; n < 1_000; n++) {
      // A sixth more than is done.
      await burst(n % 6 === 0 ? 2 : 1);
      if (n > 500) lengths.push(queue.waiting);
      await finishOne();
    }
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(8);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(12);
  });

  it("drops a cancelled request before it costs anything", async () => {
    const { started, work, end } = bench();
    const depths: number[] = [];
    const queue = createHashQueue({ limit: 2, onDepth: (waiting) => depths.push(waiting) });
    const leaving = new AbortController();
    const first = queue.run("a", work("1"));
    const cancelled = outcome(queue.run("a", work("2"), leaving.signal));
    const third = queue.run("a", work("3"));
    leaving.abort(new Error("client gone"));
    expect(await cancelled).toEqual(new Error("client gone"));
    expect(queue.waiting).toBe(1);
    const fourth = queue.run("a", work("4"));
    await end("1");
    await end("3");
    await end("4");
    expect(await Promise.all([first, third, fourth])).toEqual(["1", "3", "4"]);
    expect(started).toEqual(["1", "3", "4"]);
    expect(depths).toEqual([1, 0, 1, 2, 1, 2, 1, 0]);
  });

  it("lets a running one finish when its client leaves, and refuses one that had left before", async () => {
    const { work, end } = bench();
    const queue = createHashQueue({ limit: 2 });
    const leaving = new AbortController();
    const running = queue.run("a", work("1"), leaving.signal);
    leaving.abort(new Error("client gone"));
    expect(await outcome(queue.run("a", work("2"), leaving.signal))).toEqual(new Error("client gone"));
    await end("1");
    expect(await running).toBe("1");
  });

  it("goes on after a failure", async () => {
    const queue = createHashQueue({ limit: 2 });
    const failing = outcome(queue.run("a", () => Promise.reject(new Error("no memory"))));
    const next = queue.run("a", async () => "fine");
    expect(await failing).toEqual(new Error("no memory"));
    expect(await next).toBe("fine");
  });
});
