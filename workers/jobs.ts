import { jobDefinitions } from "../src/jobs/definitions.ts";
import { createDeliveries } from "../src/jobs/deliveries/index.ts";
import { watchClock } from "../src/platform/postgres/index.ts";
import { startJobRunner } from "../src/platform/queue/index.ts";
import { startCore } from "./core.ts";
import { workerProcess } from "./lifecycle.ts";
import { patiently } from "./patience.ts";
import { createPlatform } from "./platform.ts";

/** Runs the durable jobs. Any number of nodes may have one; each job runs once. */
export async function runJobsWorker(slot: number): Promise<void> {
  const worker = await workerProcess("jobs", slot);
  const { config, log, metrics, tracing } = worker;
  const platform = createPlatform(config, { name: worker.name, log, metrics, tracing, poolMax: 8 });
  const { core, close } = await startCore(platform, worker);
  const deliveries = createDeliveries(platform);
  const runner = await patiently(worker, async () =>
    startJobRunner({
      database: platform.database,
      jobs: [...jobDefinitions(platform, core), ...deliveries.jobs],
      log,
      metrics,
      tracing,
    }),
  );
  // One node has one jobs worker, so this one speaks for the machine.
  const clockWatch = watchClock({
    database: platform.database,
    log,
    metrics,
    tolerableMs: config.tokens.skewSeconds * 1000,
  });
  worker.onDrain(async () => {
    clockWatch.close();
    await runner.stop(config.server.shutdownTimeoutMs);
    await deliveries.close();
    await close();
    await platform.close();
  });
  worker.ready();
}
