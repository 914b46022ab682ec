import { type Bench, drive, type Line, logins, type Measured, refreshes, type Scenario } from "../bench.ts";
import type { Observation } from "../observation/observer.ts";
import { processTree, workerName } from "../processes.ts";
import { seed } from "../seed.ts";
import { issuer, newDatabaseMs } from "../services.ts";
import { connectionsForEachHasher } from "./sign-in.ts";

const mebi = 1024 * 1024;

/** Memory of each process after the load of the scenarios before, and the time a start took. */
export const footprint: Scenario = {
  name: "footprint",
  async run(bench) {
    const processes = processTree(bench.cluster.pid)
      .map(({ pid, rss }) => ({ name: workerName(pid), megabytes: rss / mebi }))
      .sort((one, other) => other.megabytes - one.megabytes);
    const largest = Math.max(
      ...processes.filter(({ name }) => name.startsWith("http:")).map(({ megabytes }) => megabytes),
    );
    return [
      {
        path: "RSS of the largest http worker",
        raw: largest,
        against: "MB",
        budget: "≤ 120 MB",
        met: largest <= 120,
        note: processes.map(({ name, megabytes }) => `${name} ${megabytes.toFixed(0)}`).join(", "),
      },
      {
        path: "start to ready",
        raw: bench.cluster.startMs,
        against: "ms",
        budget: "≤ 2000 ms",
        met: bench.cluster.startMs <= 2_000,
      },
      await firstStart(bench),
    ];
  },
};

/** The start that makes its database first. What that takes alone is most of it, and PostgreSQL's own. */
async function firstStart(bench: Bench): Promise<Line> {
  const cluster = await bench.startCluster({ databaseUrl: undefined });
  const { startMs } = cluster;
  await cluster.stop();
  return {
    path: "start to ready, embedded database new",
    raw: startMs,
    against: "ms",
    budget: "≤ 3000 ms",
    met: startMs <= 3_000,
    note: `the database alone ${(await newDatabaseMs()).toFixed(0)} ms`,
  };
}

type Observed = readonly [Measured, Observation];

async function costs(bench: Bench, users: number): Promise<{ login: Observed; refresh: Observed }> {
  const { connections, duration, hashingWorkers } = bench.options;
  const servers = [bench.cluster.pid, bench.postgres.pid];
  const session = bench.takeSessions(connections);
  return {
    login: await bench.observe(() =>
      drive({
        url: bench.cluster.url,
        connections: hashingWorkers * connectionsForEachHasher,
        duration,
        servers,
        conversation: (index) => logins(users, index),
      }),
    ),
    refresh: await bench.observe(() =>
      drive({
        url: bench.cluster.url,
        connections,
        duration,
        servers,
        // Sessions far apart, so that a large table is read all over.
        conversation: (index) => refreshes((session + index * 31) % users),
      }),
    ),
  };
}

/** What a login and a refresh cost, server and database together, in a hundredfold database. Last, because it fills the database. */
export const growth: Scenario = {
  name: "growth",
  async run(bench) {
    const { users, growth: grown } = bench.options;
    if (grown <= users) return [];
    const before = await costs(bench, users);
    await seed({ databaseUrl: bench.databaseUrl, issuer, from: users, to: grown, argon2: bench.argon2 });
    const after = await costs(bench, grown);
    const line = (path: string, [small]: Observed, [large, observed]: Observed): Line => {
      const ratio = large.cpuMicros / small.cpuMicros;
      return {
        path: `${path} at ${grown} accounts`,
        ours: large,
        observed,
        raw: small.cpuMicros,
        against: `µs/req with the database at ${users}`,
        ratio,
        budget: "≤ 1.2",
        met: ratio <= 1.2,
      };
    };
    return [
      line("POST /password/login", before.login, after.login),
      line("POST /token", before.refresh, after.refresh),
    ];
  },
};
