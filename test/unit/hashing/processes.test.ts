/** Client and handler over the real channel, in one process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { connectChannel, listenChannel } from "../../../src/platform/channel/index.ts";
import { createPasswordHasher } from "../../../src/platform/hashing/client.ts";
import { createHashEngine, type HashEngine } from "../../../src/platform/hashing/engine.ts";
import { loadArgon2Kernel } from "../../../src/platform/hashing/kernel.ts";
import type { PasswordHasher } from "../../../src/platform/hashing/port.ts";
import { createHashHandler } from "../../../src/platform/hashing/server.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { testConfig } from "../../support/config.ts";

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const task of cleanup.splice(0).reverse()) await task();
});

const parameters = { memory: 1024, iterations: 1, parallelism: 1 };
const engine = createHashEngine(await loadArgon2Kernel(), parameters, systemRandom);

/** An engine whose hashes wait until released. */
function heldEngine() {
  const passwords: string[] = [];
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held: HashEngine = {
    ...engine,
    async hash(password) {
      passwords.push(password.toString());
      await gate;
      return `hash of ${password.toString()}`;
    },
  };
  return { held, passwords, release };
}

async function serve(engines: readonly HashEngine[], limit = 10) {
  const directory = await mkdtemp(join(tmpdir(), "authkit-hashing-"));
  cleanup.push(() => rm(directory, { recursive: true, force: true }));
  const metrics = createMetrics("test");
  const paths = engines.map((_, slot) => join(directory, `${slot}.sock`));
  const servers = await Promise.all(
    engines.map((one, slot) =>
      listenChannel(paths[slot] ?? "", createHashHandler(one, limit, metrics), { log: silentLog }),
    ),
  );
  cleanup.push(() => Promise.all(servers.map((server) => server.drain(100))));
  const connect = (): PasswordHasher => {
    const hasher = createPasswordHasher(testConfig(), connectChannel(paths), { log: silentLog, metrics });
    cleanup.push(() => hasher.close());
    return hasher;
  };
  return { connect, metrics, paths, servers };
}

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const until = async (met: () => boolean): Promise<void> => {
  while (!met()) await new Promise((resolve) => setTimeout(resolve, 2));
};

describe("hashing over the channel", () => {
  it("hashes, verifies every format, and spends time on nobody", async () => {
    const { connect, metrics } = await serve([engine, engine]);
    const hasher = connect();
    const hash = await hasher.hash("pässwörd");
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=1024,t=1,p=1\$/);
    expect(await hasher.verify({ hash, algorithm: "argon2id", params: null }, "pässwörd")).toEqual({
      match: true,
      rehash: false,
    });
    const md5 = {
      hash: "5f4dcc3b5aa765d61d8327deb882cf99",
      algorithm: "md5",
      params: { layout: "password" },
    };
    expect(await hasher.verify(md5, "password")).toEqual({ match: true, rehash: true });
    expect(await hasher.verify({ hash: "?", algorithm: "?", params: null }, "x")).toEqual({
      match: false,
      rehash: false,
    });
    const monstrous = {
      hash: "$".repeat(3_000_000),
      algorithm: "x".repeat(3_000_000),
      params: ["y".repeat(3_000_000)],
    };
    expect(await hasher.verify(monstrous, "x")).toEqual({ match: false, rehash: false });
    const annotated = { hash, algorithm: "argon2id", params: { note: "y".repeat(1_000_000) } };
    expect((await hasher.verify(annotated, "pässwörd")).match).toBe(true);
    await hasher.verifyDummy("x");
    const text = await metrics.text();
    expect(text).toContain('authkit_password_hash_seconds_count{operation="verify"} 5');
    expect(text).toContain('authkit_password_hash_seconds_count{operation="dummy"} 1');
    expect(text).toContain("authkit_password_hash_queue_depth 0");
  });

  it("answers server_busy at once when the queue is full, while a hash is running", async () => {
    const { held, passwords, release } = heldEngine();
    const { connect, metrics } = await serve([held], 2);
    const hasher = connect();
    const accepted = ["1", "2", "3"].map((password) => hasher.hash(password));
    await until(() => passwords.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await outcome(hasher.hash("4"))).toMatchObject({
      name: "AuthError",
      code: "server_busy",
      retryAfter: 1,
    });
    release();
    expect(await Promise.all(accepted)).toEqual(["hash of 1", "hash of 2", "hash of 3"]);
    expect(await metrics.text()).toContain('authkit_password_hash_refused_total{reason="busy"} 1');
  });

  it("never computes what was cancelled while waiting", async () => {
    const { held, passwords, release } = heldEngine();
    const { connect } = await serve([held], 10);
    const hasher = connect();
    const leaving = new AbortController();
    const first = hasher.hash("1");
    await until(() => passwords.length === 1);
    const cancelled = outcome(hasher.hash("2", leaving.signal));
    const third = hasher.hash("3");
    await new Promise((resolve) => setTimeout(resolve, 20));
    leaving.abort(new Error("gone"));
    expect(await cancelled).toEqual(new Error("gone"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    expect(await Promise.all([first, third])).toEqual(["hash of 1", "hash of 3"]);
    expect(passwords).toEqual(["1", "3"]);
  });

  it("asks another process once when one dies with the request", async () => {
    const { held, passwords } = heldEngine();
    const { connect, paths } = await serve([engine]);
    const dying = join(paths[0] ?? "", "..", "dying.sock");
    const server = await listenChannel(dying, createHashHandler(held, 10, createMetrics("dying")), {
      log: silentLog,
    });
    const hasher = createPasswordHasher(testConfig(), connectChannel([dying, paths[0] ?? ""]), {
      log: silentLog,
      metrics: createMetrics("client"),
    });
    cleanup.push(() => hasher.close());
    cleanup.push(async () => connect().close());
    // Two at once: each process gets one.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const both = Promise.all([hasher.hash("1"), hasher.hash("2")]);
    await until(() => passwords.length === 1);
    await server.drain(0);
    for (const hash of await both) expect(hash).toMatch(/^\$argon2id\$/);
  });

  it("rejects with service_unavailable when nobody serves", async () => {
    const { connect, servers } = await serve([engine]);
    const hasher = connect();
    await hasher.verifyDummy("x");
    await servers[0]?.drain(0);
    const failed = outcome(hasher.hash("1"));
    expect(await failed).toMatchObject({ code: "service_unavailable", retryAfter: 1 });
  }, 15_000);
});
