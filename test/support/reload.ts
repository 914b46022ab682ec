import type { TestCluster } from "./cluster.ts";
import { until } from "./outcome.ts";
import { workersOf } from "./processes.ts";

const kinds = ["http", "management", "hashing", "jobs"] as const;

/** SIGHUP, and waits until every worker is another one. */
export async function reload(cluster: TestCluster): Promise<void> {
  // The server is ready before its last worker, the one for jobs, is forked.
  await until("every worker is there", 30, () =>
    kinds.every((kind) => workersOf(cluster.pid, kind).length > 0),
  );
  const before = kinds.flatMap((kind) => workersOf(cluster.pid, kind));
  cluster.process.kill("SIGHUP");
  await until("every worker is another one", 90, () => {
    const now = kinds.flatMap((kind) => workersOf(cluster.pid, kind));
    return now.length === before.length && now.every((pid) => !before.includes(pid));
  });
}
