import type { Bench, Line, Scenario } from "../bench.ts";
import { processTree, workerName } from "../processes.ts";
import { newDatabaseMs } from "../services.ts";

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
