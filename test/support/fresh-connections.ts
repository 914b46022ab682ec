/**
 * A program: a cluster, on PostgreSQL alone, whose workers are replaced again and again while every request comes over a connection of its own.
 * It has no part outside its network namespace, so that it can run in a fresh one. Prints what it counted as one line of JSON.
 */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { newPerson } from "./accounts.ts";
import { startCluster, type TestCluster } from "./cluster.ts";
import { unlimited } from "./faulty.ts";
import { until } from "./outcome.ts";
import { startTestPostgres } from "./postgres.ts";
import { type WorkerKind, workersOf } from "./processes.ts";

/** What is printed. */
export interface FreshConnections {
  /** `net.ipv4.tcp_migrate_req` was on. */
  readonly migrating: boolean;
  readonly replacements: number;
  readonly succeeded: number;
  /** Requests without an answer by the code of the error, and answers that were no success by status. */
  readonly failed: Readonly<Record<string, number>>;
}

const replacements = 2;
const kinds: readonly WorkerKind[] = ["http", "management", "hashing", "jobs"];
/** Milliseconds between two requests of one loop. */
const pace = 2;

let succeeded = 0;
const failed: Record<string, number> = {};
function fail(why: string): void {
  failed[why] = (failed[why] ?? 0) + 1;
}

/** One request over a connection that serves it alone. */
function ask(url: string, body?: unknown): Promise<void> {
  return new Promise((resolve) => {
    const outgoing = request(url, {
      agent: false,
      method: body === undefined ? "GET" : "POST",
      headers: { connection: "close", "content-type": "application/json" },
      timeout: 30_000,
    });
    outgoing.once("response", (answer) => {
      const { statusCode = 0 } = answer;
      answer.resume();
      answer.once("end", () => (statusCode < 300 ? succeeded++ : fail(String(statusCode))));
      answer.once("error", (error) => fail(String(Reflect.get(error, "code"))));
      answer.once("close", resolve);
    });
    outgoing.once("timeout", () => outgoing.destroy(Object.assign(new Error("late"), { code: "LATE" })));
    outgoing.once("error", (error) => {
      fail(String(Reflect.get(error, "code")));
      resolve();
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function replaceAll(cluster: TestCluster): Promise<void> {
  const workers = (): number[] => kinds.flatMap((kind) => workersOf(cluster.pid, kind));
  await until("every worker is there", 120, () => workers().length === 5);
  const before = workers();
  cluster.process.kill("SIGHUP");
  await until("every worker is another one", 240, () => {
    const now = workers();
    return now.length === before.length && now.every((pid) => !before.includes(pid));
  });
}

const postgres = await startTestPostgres();
try {
  const cluster = await startCluster({
    databaseUrl: postgres.url,
    redis: false,
    env: { AUTHKIT_CONFIG: await unlimited() },
  });
  try {
    let running = true;
    const loop = async (step: () => Promise<void>): Promise<void> => {
      for (; running; await new Promise((resolve) => setTimeout(resolve, pace))) await step();
    };
    const register = (): Promise<void> => {
      const { email, username, password } = newPerson();
      return ask(`${cluster.api}/register`, { identifier: email, username, password });
    };
    const loops = [
      ...Array.from({ length: 8 }, () => loop(() => ask(`${cluster.url}/.well-known/jwks.json`))),
      ...Array.from({ length: 2 }, () => loop(register)),
    ];
    for (let round = 0; round < replacements; round++) await replaceAll(cluster);
    running = false;
    await Promise.all(loops);
    const migrating = readFileSync("/proc/sys/net/ipv4/tcp_migrate_req", "utf8").trim() === "1";
    const counted: FreshConnections = { migrating, replacements, succeeded, failed };
    process.stdout.write(`${JSON.stringify(counted)}\n`);
  } finally {
    await cluster.stop();
  }
} finally {
  await postgres.stop();
}
