import { describe, expect, it } from "vitest";
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

    // One hash of 50 seconds moves the average to about 5 s; two waiting make 11.
    now = 50_000;
    await end("1");
    await first;
    rest.push(queue.run("a", work("5")));
    expect(await outcome(queue.run("a", work("6")))).toMatchObject({ retryAfter: 11 });
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
