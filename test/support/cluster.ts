import { type ChildProcess, spawn } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { freePort } from "./ports.ts";
import { createTestDatabase } from "./postgres.ts";

/** Where requests of a test go: one cluster, or whatever a balancer in front of several chooses. */
export interface Target {
  readonly url: string;
  readonly api: string;
  readonly managementToken: string;
  /** Where what it keeps can be looked at. */
  readonly databaseUrl: string;
}

/** A whole cluster, started the way an operator starts it, on real PostgreSQL and Redis. */
export interface TestCluster {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Base of browser routes. */
  readonly api: string;
  readonly managementToken: string;
  readonly databaseUrl: string;
  /** What it was started with: commands run beside it with the same. */
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly process: ChildProcess;
  /** Everything the cluster wrote so far (NDJSON log and start-up text). */
  output(): string;
  /** Resolves with the exit code. */
  exited: Promise<number | null>;
  /** SIGTERM, wait, clean up. */
  stop(): Promise<number | null>;
}

export interface ClusterOptions {
  /** Added to, or (with undefined) removed from, the environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Use this database instead of a fresh one. */
  readonly databaseUrl?: string;
  /** Without Redis: ephemeral state in PostgreSQL. */
  readonly redis?: boolean;
  /** Where it is reached, when `env` says where it listens. */
  readonly url?: string;
  /** Seconds to wait until it serves; default {@link startSeconds}. */
  readonly startTimeout?: number;
  /** Directory of the program; default this project. */
  readonly program?: string;
  /** User and group id it runs as; the tests then run as root. */
  readonly uid?: number;
  /** The Node that runs it; default the one of the tests. */
  readonly node?: string;
}

/** On a quiet machine it takes two; tests that run beside others may find one on which it takes a minute. */
const startSeconds = 120;

/** Directory of this project. */
export const project = join(import.meta.dirname, "../..");

async function untilReady(
  url: string,
  timeoutMs: number,
  exited: () => boolean,
  output: () => string,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (exited()) throw new Error(`the cluster ended before it served:\n${output()}`);
    try {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
      if (response.status === 200) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the cluster was not ready in time:\n${output()}`);
}

/** Starts `authkit-server serve` with a fresh database and key prefix, and waits until it is ready. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const port = await freePort();
  const state = await mkdtemp(join(tmpdir(), "authkit-cluster-"));
  const database =
    options.databaseUrl === undefined ? await createTestDatabase(inject("postgresUrl")) : undefined;
  const databaseUrl = options.databaseUrl ?? database?.url ?? "";
  const managementToken = "test-management-token-0123456789abcdef";
  const url = options.url ?? `http://127.0.0.1:${port}`;
  const inherited: Record<string, string | undefined> = {};
  for (const name of ["PATH", "HOME", "LANG", "TMPDIR"]) inherited[name] = process.env[name];
  const env: Record<string, string | undefined> = {
    ...inherited,
    AUTHKIT_ISSUER: url,
    AUTHKIT_LISTEN_ADDR: `127.0.0.1:${port}`,
    AUTHKIT_ENV: "test",
    DB_URL: databaseUrl,
    AUTHKIT_MGMT_TOKEN: managementToken,
    AUTHKIT_STATE_DIR: state,
    AUTHKIT_HTTP_WORKERS: "2",
    AUTHKIT_HASHING_WORKERS: "1",
    AUTHKIT_ARGON2: "m=1024,t=1,p=1",
    AUTHKIT_MIGRATE_ON_START: "true",
    ...(options.redis === false
      ? {}
      : { AUTHKIT_REDIS_URL: inject("redisUrl"), AUTHKIT_REDIS_KEY_PREFIX: `t${port}:` }),
    ...options.env,
  };
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) given[name] = value;
  if (options.uid !== undefined) await chown(state, options.uid, options.uid);
  const child = spawn(options.node ?? process.execPath, ["src/cli/main.ts", "serve"], {
    cwd: options.program ?? project,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    env: given,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let ended = false;
  const collect = (chunk: Buffer): void => {
    text += chunk.toString("utf8");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => {
      ended = true;
      resolve(code);
    });
  });
  const cleanUp = async (): Promise<void> => {
    await database?.drop();
    // Workers of a server that was killed may still be taking their leave of it.
    await rm(state, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  try {
    await untilReady(
      url,
      (options.startTimeout ?? startSeconds) * 1_000,
      () => ended,
      () => text,
    );
  } catch (error) {
    child.kill("SIGKILL");
    await exited;
    await cleanUp();
    throw error;
  }
  const stop = async (): Promise<number | null> => {
    if (!ended) child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 45_000);
    const code = await exited;
    clearTimeout(timer);
    await cleanUp();
    return code;
  };
  return {
    url,
    api: `${url}/api/v1`,
    managementToken,
    databaseUrl,
    env: given,
    pid: child.pid ?? 0,
    process: child,
    output: () => text,
    exited,
    stop,
  };
}

/** Starts a server with the settings, state directory and address of one that has ended. Stop the first one last: it owns what they share. */
export function startAgain(ended: TestCluster): Promise<TestCluster> {
  return startCluster({ databaseUrl: ended.databaseUrl, url: ended.url, env: ended.env });
}
