/**
 * `npm run soak`: the whole cluster on a PostgreSQL and a Redis of its own under a mixed load for some minutes, to see what grows and what fails.
 * Prints rates, errors and the memory of each process every minute, and the growth at the end. Exit code 1 when a request failed, a process was
 * replaced, or one grew more than allowed.
 */
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { seed } from "../seed.ts";
import { type ClusterService, issuer, startCluster, startPostgres, startRedis } from "../services.ts";
import { perform, refreshers } from "./actors.ts";
import { SoakClient } from "./client.ts";
import { MemoryRecord, residents } from "./memory.ts";
import { parseSoakOptions, type SoakOptions } from "./options.ts";

const defaultArgon2 = "m=65536,t=1,p=1";
const connections = 32;
const sampleMs = 1_000;
const reportMs = 60_000;
/** The worker for jobs is forked after the server has become ready. */
const kinds = ["http:", "management:", "hashing:", "jobs:"];

const megabytes = (values: Iterable<readonly [string, number]>): string =>
  [...values].map(([name, value]) => `${name} ${value.toFixed(0)}`).join("  ");

async function untilComplete(cluster: ClusterService): Promise<Map<string, number>> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const names = residents(cluster.pid);
    if (kinds.every((kind) => [...names.keys()].some((name) => name.startsWith(kind)))) {
      return new Map([...names].map(([name, { pid }]) => [name, pid]));
    }
    await sleep(100);
  }
  throw new Error("the cluster lacks a worker");
}

/** Soaks a cluster; what was wrong, in words. */
async function soak(options: SoakOptions, cluster: ClusterService, redisPid: number): Promise<string[]> {
  const pids = await untilComplete(cluster);
  const client = new SoakClient(cluster.url, connections);
  const record = new MemoryRecord();
  const problems = new Set<string>();
  const ending = new AbortController();
  const started = performance.now();
  const durationMs = options.minutes * 60_000;
  const load = perform(client, options.users, ending.signal);
  let reportedAt = started;
  let counted = new Map<string, number>();

  const report = (): void => {
    const now = performance.now();
    const counts = new Map([...client.tallies].map(([name, { succeeded }]) => [name, succeeded]));
    const rates = [...counts].map(([name, count]) => {
      const rate = (count - (counted.get(name) ?? 0)) / ((now - reportedAt) / 1000);
      return `${name} ${rate.toFixed(1)}`;
    });
    const memory = [...residents(cluster.pid)].map(([name, use]) => [name, use.megabytes] as const);
    const redis = residents(redisPid).get("primary")?.megabytes ?? 0;
    console.log(`${((now - started) / 60_000).toFixed(1)} min, ${client.failures} errors`);
    console.log(`  req/s  ${rates.join("  ")}`);
    console.log(`  MB     ${megabytes([...memory, ["redis", redis]])}`);
    reportedAt = now;
    counted = counts;
  };

  while (performance.now() - started < durationMs) {
    await sleep(Math.min(sampleMs, durationMs));
    const now = residents(cluster.pid);
    for (const [name, { megabytes: value }] of now) {
      record.add(name, (performance.now() - started) / durationMs, value);
    }
    for (const [name, pid] of pids) {
      if (now.get(name)?.pid !== pid) problems.add(`${name} did not live through the soak`);
    }
    if (performance.now() - reportedAt >= reportMs) report();
  }
  ending.abort();
  await load;
  report();
  await client.close();

  console.log("\n| process | second quarter, MB | end, MB | growth, MB |\n|---|---:|---:|---:|");
  for (const { process, before, after } of record.growth()) {
    const grown = after - before;
    console.log(`| ${process} | ${before.toFixed(1)} | ${after.toFixed(1)} | ${grown.toFixed(1)} |`);
    if (grown > options.growth) problems.add(`${process} grew ${grown.toFixed(1)} MB`);
  }
  for (const [name, { failed, samples }] of client.tallies) {
    if (failed > 0) problems.add(`${name}: ${failed} failed, such as ${samples.join("; ")}`);
  }
  return [...problems];
}

const options = parseSoakOptions(process.argv.slice(2), availableParallelism());
if (options !== undefined) {
  const argon2 = options.argon2 ?? defaultArgon2;
  const postgres = await startPostgres();
  const redis = await startRedis();
  let problems: readonly string[];
  try {
    // Limits stay on, as in production; the load's clients have addresses of their own.
    const cluster = await startCluster(options, {
      databaseUrl: postgres.url,
      redisUrl: redis.url,
      limited: true,
      env: { AUTHKIT_ARGON2: argon2, AUTHKIT_TRUSTED_PROXIES: "127.0.0.1/32" },
    });
    try {
      await seed({ databaseUrl: postgres.url, issuer, from: 0, to: options.users, argon2 });
      const { minutes, users, growth } = options;
      console.log(
        `${minutes} min, ${users} accounts, ${refreshers} refreshing sessions, Argon2id ${argon2}, growth up to ${growth} MB allowed`,
      );
      problems = await soak(options, cluster, redis.pid);
    } finally {
      await cluster.stop();
    }
  } finally {
    await redis.stop();
    await postgres.stop();
  }
  console.log(
    problems.length === 0 ? "\nnothing failed, nothing grew" : problems.map((p) => `\nPROBLEM ${p}`).join(""),
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
