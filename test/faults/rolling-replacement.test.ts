import { expect, test } from "vitest";
import { startCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { nothingFailed, startLoad } from "../support/load.ts";
import { lostOf, until } from "../support/outcome.ts";
import { workersOf } from "../support/processes.ts";

test("SIGHUP replaces every worker under keep-alive load and fails no request", async () => {
  const cluster = await startCluster({ env: { AUTHKIT_CONFIG: await unlimited() } });
  try {
    const kinds = ["http", "management", "hashing", "jobs"] as const;
    // The server is ready before its last worker, the one for jobs, is forked.
    await until("every worker is there", 30, () =>
      kinds.every((kind) => workersOf(cluster.pid, kind).length > 0),
    );
    const before = kinds.flatMap((kind) => workersOf(cluster.pid, kind));
    const load = await startLoad(cluster);
    await until("load is under way", 20, () => load.acknowledged.length > 3);
    cluster.process.kill("SIGHUP");
    await until("every worker is another one", 90, () => {
      const now = kinds.flatMap((kind) => workersOf(cluster.pid, kind));
      return now.length === before.length && now.every((pid) => !before.includes(pid));
    });
    const seen = load.acknowledged.length;
    await until("the new workers serve", 20, () => load.acknowledged.length > seen + 5);
    await load.stop();
    nothingFailed(load);
    expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
  } finally {
    await cluster.stop();
  }
}, 180_000);
