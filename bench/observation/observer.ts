import type { ClusterService, Service } from "../services.ts";
import { type CpuUse, cpuTimes, cpuUse } from "./cpu.ts";
import { type PoolWaits, poolWaits, waitsBetween } from "./pool-waits.ts";
import { openStatementMeter, type StatementUse } from "./statements.ts";

/** What a measurement cost, and where. */
export interface Observation {
  readonly cpu: CpuUse;
  readonly waits: PoolWaits;
  /** The most expensive ones. */
  readonly statements: readonly StatementUse[];
  /** Milliseconds of all statements. */
  readonly statementMs: number;
}

export interface Observer {
  /** Runs a measurement of a cluster and tells what it cost. One at a time. */
  observe<T>(cluster: ClusterService, work: () => Promise<T>): Promise<readonly [T, Observation]>;
  close(): Promise<void>;
}

/** Watches the cluster, its stores and this process. */
export async function createObserver(postgres: Service, redis: Service): Promise<Observer> {
  const meter = await openStatementMeter(postgres.url);
  const scrape = async (cluster: ClusterService) => poolWaits(await (await fetch(cluster.metricsUrl)).text());
  return {
    async observe(cluster, work) {
      const watched = { cluster: cluster.pid, postgres: postgres.pid, redis: redis.pid };
      const waitsBefore = await scrape(cluster);
      await meter.reset();
      const before = cpuTimes(watched);
      const result = await work();
      const cpu = cpuUse(before, cpuTimes(watched));
      const { top, totalMs } = await meter.read();
      const waits = waitsBetween(waitsBefore, await scrape(cluster));
      return [result, { cpu, waits, statements: top, statementMs: totalMs }];
    },
    close: () => meter.close(),
  };
}
