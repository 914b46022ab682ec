import { fork } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect } from "vitest";
import { type Tell, until } from "./outcome.ts";
import { atRedis } from "./redis-topologies.ts";

/** The promise: milliseconds from the dependency's first answer to the first request that needs it and succeeds. */
const promisedMs = 2_000;
/** Milliseconds from a fork to the first message of a Node process on a quiet machine of this decade. */
const referenceForkMs = 60;
/** A machine that is slower than this proves nothing. */
const greatestFactor = 4;
/** Milliseconds one look at a dependency may take. */
const lookMs = 1_000;
/** Seconds after which a recovery counts as none. */
const patienceSeconds = 60;

/** How many times as long as on the reference machine a fixed piece of work takes here and now; between 1 and 4. */
export async function slowness(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-calibration-"));
  try {
    const program = join(directory, "ready.cjs");
    await writeFile(program, 'process.send("ready", () => process.exit());\n');
    const times: number[] = [];
    for (let run = 0; run < 3; run++) {
      const began = performance.now();
      const child = fork(program, { execArgv: [] });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      await new Promise((resolve, reject) => {
        child.once("message", resolve);
        child.once("error", reject);
      });
      times.push(performance.now() - began);
      await ended;
    }
    const [, median = referenceForkMs] = times.sort((a, b) => a - b);
    return Math.min(Math.max(median / referenceForkMs, 1), greatestFactor);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Whether a PostgreSQL takes a new connection and could commit on it. */
export async function postgresAnswers(url: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: lookMs,
    query_timeout: lookMs,
  });
  // Said again by `connect`.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query("SELECT pg_is_in_recovery() AS standby");
    return rows[0]?.standby === false;
  } catch {
    return false;
  } finally {
    client.end().catch(() => undefined);
  }
}

/** Whether a Redis takes a new connection and commands on it. */
export async function redisAnswers(port: number): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), lookMs));
  const answer = atRedis(port, (client) => client.ping()).then(
    () => true,
    () => false,
  );
  return await Promise.race([answer, late]);
}

async function orFalse(probe: () => Promise<boolean>): Promise<boolean> {
  try {
    return await probe();
  } catch {
    return false;
  }
}

export interface Recovery {
  /** What was away, for the report. */
  readonly of: string;
  /** Brings it back; it may answer before this resolves. */
  readonly back: () => Promise<void> | void;
  /** Whether what was away answers whoever asks it directly. */
  readonly answers: () => Promise<boolean>;
  /** Whether the server does what needs it. */
  readonly serves: () => Promise<boolean>;
  readonly tell: Tell;
}

/** The moment (of `performance.now`) from which the server served again, and how long that took. */
export interface Recovered {
  readonly at: number;
  readonly ms: number;
}

/**
 * Asserts that the server serves within two seconds of the moment at which what was away answers again, on a machine as quick as the
 * reference; on a slower one it has up to four times as long. Tells what was measured.
 */
export async function recovers({ of, back, answers, serves, tell }: Recovery): Promise<Recovered> {
  const before = await slowness();
  let failure: unknown;
  const returning = Promise.resolve(back()).catch((error: unknown) => {
    failure = error;
  });
  await until(`${of} answers`, patienceSeconds, () => {
    if (failure !== undefined) throw failure;
    return orFalse(answers);
  });
  const answered = performance.now();
  await until(`service after ${of} is back`, patienceSeconds, () => orFalse(serves));
  const at = performance.now();
  const ms = at - answered;
  await returning;
  const factor = Math.max(before, await slowness());
  const allowed = promisedMs * factor;
  await tell(
    `${of}: served ${Math.round(ms)} ms after it answered again; allowed ${Math.round(allowed)} ms (machine ${factor.toFixed(1)} × the reference)`,
  );
  expect(ms).toBeLessThanOrEqual(allowed);
  return { at, ms };
}
