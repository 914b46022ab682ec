import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as tcpConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Stops answering without closing anything, as a hung machine does. */
  pause(): void;
  resume(): void;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  /** Fixed port, to bring a stopped server back at the same address; default a free one. */
  readonly port?: number;
  /** Starts a Sentinel with this configuration file instead of a data server. */
  readonly configFile?: string;
  /** Further `redis-server` arguments. */
  readonly args?: readonly string[];
}

/** Starts a `redis-server` of its own on loopback, without persistence; resolves when it answers. */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-redis-"));
  const port = options.port ?? (await freePort());
  const child = spawn(
    "redis-server",
    [
      ...(options.configFile === undefined ? [] : [options.configFile, "--sentinel"]),
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--loglevel", "warning"],
      ...(options.configFile === undefined ? ["--save", "", "--appendonly", "no"] : []),
      ...(options.args ?? []),
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`redis-server ended with ${code} before it answered`)));
  });
  failed.catch(() => undefined);
  try {
    await Promise.race([failed, answers(port)]);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async kill() {
      child.kill("SIGKILL");
      await end(child);
    },
    async stop() {
      child.kill("SIGCONT");
      await end(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if (await pings(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`redis-server does not answer on port ${port}`);
}

function pings(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tcpConnect(port, "127.0.0.1");
    socket.once("connect", () => socket.write("PING\r\n"));
    socket.once("data", (data) => {
      socket.destroy();
      // A server that wants a password answers too.
      resolve(/^(?:\+PONG|-NOAUTH)/.test(data.toString()));
    });
    socket.once("error", () => resolve(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await ended;
  clearTimeout(timer);
}
