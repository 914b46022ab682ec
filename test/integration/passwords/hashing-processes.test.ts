/** The real hashing processes: what the rest of the node relies on when one of them is slow, full or killed. */
import { type ChildProcess, fork } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { connectChannel } from "../../../src/platform/channel/index.ts";
import { createPasswordHasher } from "../../../src/platform/hashing/client.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { isToPrimary, type ToWorker } from "../../../workers/supervision/messages.ts";
import { testConfig } from "../../support/config.ts";

const cleanup: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const task of cleanup.splice(0).reverse()) await task();
});

/** Plays the primary's part until the worker serves. */
function serving(worker: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    worker.on("message", (message: unknown) => {
      if (!isToPrimary(message)) return;
      const begin: ToWorker = { type: "begin", findings: {} };
      if (message.type === "loaded") worker.send(begin);
      if (message.type === "ready") resolve();
    });
  });
}

/** `count` hashing workers as the primary forks them, and a client of them. */
async function start(count: number, environment: NodeJS.ProcessEnv) {
  const directory = await mkdtemp(join(tmpdir(), "authkit-hashing-"));
  cleanup.push(() => rm(directory, { recursive: true, force: true }));
  const workers: ChildProcess[] = [];
  for (let slot = 0; slot < count; slot++) {
    const worker = fork(fileURLToPath(new URL("../../../workers/main.ts", import.meta.url)), [], {
      env: {
        ...process.env,
        AUTHKIT_LOG_LEVEL: "error",
        ...environment,
        AUTHKIT_WORKER: `hashing:${slot}`,
        AUTHKIT_SOCKET_DIR: directory,
        AUTHKIT_HASHING_WORKERS: String(count),
      },
      cwd: directory,
    });
    cleanup.push(() => {
      worker.kill("SIGKILL");
    });
    workers.push(worker);
  }
  await Promise.all(workers.map(serving));
  const paths = workers.map((_, slot) => join(directory, `hashing-${slot}.sock`));
  const hasher = createPasswordHasher(testConfig(), connectChannel(paths), {
    log: silentLog,
    metrics: createMetrics("test"),
  });
  cleanup.push(() => hasher.close());
  return { workers, hasher };
}

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Nice value of every thread: field 19 of `stat`, counted after the name. */
function niceness(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  });
}

describe("hashing processes", () => {
  it("write hashes with the configured parameters, on threads that all gave way to the rest", async () => {
    const { workers, hasher } = await start(1, { AUTHKIT_ARGON2: "m=2048,t=2,p=1" });
    const hash = await hasher.hash("correct horse");
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=2048,t=2,p=1\$/);
    expect(await hasher.verify({ hash, algorithm: "argon2id", params: null }, "correct horse")).toEqual({
      match: true,
      rehash: false,
    });
    if (process.platform !== "linux") return;
    const values = niceness(workers[0]?.pid ?? 0);
    expect(values.length).toBeGreaterThan(4);
    expect(new Set(values)).toEqual(new Set([10]));
  });

  it("lose no request when one of them is killed", async () => {
    const { workers, hasher } = await start(2, { AUTHKIT_ARGON2: "m=65536,t=2,p=1" });
    const hashes = Array.from({ length: 12 }, (_, at) => hasher.hash(`password ${at}`));
    await pause(60);
    workers[0]?.kill("SIGKILL");
    for (const hash of await Promise.all(hashes))
      expect(hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=2,p=1\$/);
  });

  it("refuse beyond their queue while they compute, and keep computing what they accepted", async () => {
    const { hasher } = await start(1, { AUTHKIT_ARGON2: "m=262144,t=4,p=1", AUTHKIT_HASH_QUEUE_LIMIT: "2" });
    const accepted = ["1", "2", "3"].map((password) => hasher.hash(password));
    await pause(30);
    let computed = 0;
    for (const hash of accepted) void hash.then(() => computed++);
    const refusals = await Promise.all(Array.from({ length: 50 }, () => outcome(hasher.hash("late"))));
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: "server_busy" });
    for (const refusal of refusals) expect(refusal).toHaveProperty("retryAfter", expect.any(Number));
    // All of them answered before the very first hash was done: the event loop was free while it ran.
    expect(computed).toBe(0);
    for (const hash of await Promise.all(accepted)) expect(hash).toMatch(/^\$argon2id\$/);
  });

  it("finish what they accepted when drained", async () => {
    const { workers, hasher } = await start(1, { AUTHKIT_ARGON2: "m=65536,t=2,p=1" });
    const accepted = ["1", "2", "3"].map((password) => hasher.hash(password));
    await pause(30);
    const ended = new Promise((resolve) => workers[0]?.once("exit", resolve));
    workers[0]?.send({ type: "drain" });
    for (const hash of await Promise.all(accepted)) expect(hash).toMatch(/^\$argon2id\$/);
    expect(await ended).toBe(0);
  });
});
