import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../src/platform/log/port.ts";
import { startEmbeddedPostgres } from "../src/platform/postgres/embedded.ts";
import type { BenchOptions } from "./options.ts";
import { schema } from "./schema.ts";

export const root = join(import.meta.dirname, "..");
/** Fixed, because it is part of every seeded session. */
export const issuer = "http://127.0.0.1:8080";
export const managementToken = "bench-management-token-0123456789abcdef";

const keyringSecret = Buffer.alloc(32, 7).toString("base64");

/** A server this run started and ends. */
export interface Service {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ClusterService extends Service {
  /** What it was started with: commands run beside it with the same. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the whole node's metrics are served. */
  readonly metricsUrl: string;
  /** Milliseconds from the start of the command to the first ready answer. */
  readonly startMs: number;
}

/** A TCP port of the loopback interface nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return address.port;
}

async function ended(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await exit;
  clearTimeout(timer);
}

/** Polls until `url` answers 200; the milliseconds that took. */
export async function untilServing(url: string, child: ChildProcess, seconds = 60): Promise<number> {
  const started = performance.now();
  while (performance.now() - started < seconds * 1_000) {
    if (child.exitCode !== null) throw new Error(`the server of ${url} ended with ${child.exitCode}`);
    try {
      const reply = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      await reply.arrayBuffer();
      if (reply.status === 200) return performance.now() - started;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${url} did not answer in ${seconds} s`);
}

/** A PostgreSQL with the settings of a small production machine: everything durable. */
export async function startPostgres(): Promise<Service> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-bench-pg-"));
  const server = await startEmbeddedPostgres({
    directory,
    log: silentLog,
    settings: {
      shared_buffers: "1GB",
      max_wal_size: "4GB",
      max_connections: "200",
      checkpoint_timeout: "30min",
      random_page_cost: "1.1",
      // Statements are counted throughout, also those of the raw limits.
      shared_preload_libraries: "pg_stat_statements",
    },
  });
  return {
    url: server.url,
    pid: server.pid,
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Milliseconds until an embedded PostgreSQL that is made from nothing can be used. */
export async function newDatabaseMs(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-bench-new-"));
  const begun = performance.now();
  const server = await startEmbeddedPostgres({ directory, log: silentLog });
  const took = performance.now() - begun;
  await server.stop();
  await rm(directory, { recursive: true, force: true });
  return took;
}

/** A Redis without persistence, as ephemeral state needs it. */
export async function startRedis(): Promise<Service> {
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", args, { stdio: "ignore" });
  await Promise.race([
    once(child, "spawn"),
    once(child, "error").then(() => {
      throw new Error("redis-server is missing: install it (apt-get install redis-server)");
    }),
  ]);
  return { url: `redis://127.0.0.1:${port}`, pid: child.pid ?? 0, stop: () => ended(child, 3_000) };
}

/** The configuration file of a run; `limited` keeps the default policy of rate limits. */
async function writeConfiguration(directory: string, limited: boolean): Promise<string> {
  const path = join(directory, "authkit.yaml");
  await writeFile(path, limited ? "{}\n" : "limits:\n  enabled: false\n");
  return path;
}

export interface ClusterSettings {
  /** Undefined: the embedded one, made from nothing. */
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string;
  /** Leaves the default rate limits on. */
  readonly limited?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `authkit-server serve` as an operator would and waits until it is ready. */
export async function startCluster(
  options: Pick<BenchOptions, "httpWorkers" | "hashingWorkers" | "argon2" | "nodeOptions">,
  settings: ClusterSettings,
): Promise<ClusterService> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-bench-"));
  const port = await freePort();
  const metricsPort = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const output = openSync(join(directory, "output.ndjson"), "a");
  const env = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    AUTHKIT_ENV: "test",
    AUTHKIT_ISSUER: issuer,
    AUTHKIT_SCHEMA: schema,
    AUTHKIT_LISTEN_ADDR: `127.0.0.1:${port}`,
    AUTHKIT_METRICS_LISTEN_ADDR: `127.0.0.1:${metricsPort}`,
    AUTHKIT_MGMT_TOKEN: managementToken,
    // The keys production has: the managed keyring.
    AUTHKIT_KEYRING_SECRET: keyringSecret,
    AUTHKIT_STATE_DIR: directory,
    AUTHKIT_CONFIG: await writeConfiguration(directory, settings.limited === true),
    AUTHKIT_HTTP_WORKERS: String(options.httpWorkers),
    AUTHKIT_HASHING_WORKERS: String(options.hashingWorkers),
    AUTHKIT_MIGRATE_ON_START: "true",
    ...(settings.databaseUrl === undefined ? {} : { DB_URL: settings.databaseUrl }),
    AUTHKIT_REDIS_URL: settings.redisUrl,
    AUTHKIT_REDIS_KEY_PREFIX: `bench${port}:`,
    ...(options.argon2 === undefined ? {} : { AUTHKIT_ARGON2: options.argon2 }),
    ...(options.nodeOptions === undefined ? {} : { NODE_OPTIONS: options.nodeOptions }),
    ...settings.env,
  };
  const child = spawn("bin/authkit-server", ["serve"], {
    cwd: root,
    env,
    stdio: ["ignore", output, output],
  });
  const startMs = await untilServing(`${url}/readyz`, child);
  return {
    url,
    pid: child.pid ?? 0,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    startMs,
    env,
    async stop() {
      await ended(child, 30_000);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Starts one of the programs under `bench/raw` that serve; it prints its port when it listens. */
export async function startProgram(file: string, args: readonly string[]): Promise<Service> {
  const child = spawn(process.execPath, [join("bench/raw", file), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  return {
    url: `http://127.0.0.1:${String(line).trim()}`,
    pid: child.pid ?? 0,
    stop: () => ended(child, 3_000),
  };
}

/** Runs several copies of a program under `bench/raw` side by side; the sum of the rates they print. */
export async function rateOf(file: string, args: readonly string[], copies = 1): Promise<number> {
  const rates = await Promise.all(
    Array.from({ length: copies }, async () => {
      const child = spawn(process.execPath, [join("bench/raw", file), ...args], {
        cwd: root,
        stdio: ["ignore", "pipe", "inherit"],
      });
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      const [code] = await once(child, "close");
      if (code !== 0) throw new Error(`${file} ended with ${String(code)}`);
      return Number(text.trim());
    }),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}
