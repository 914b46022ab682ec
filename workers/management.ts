import { createManagementService } from "../src/management/worker.ts";
import { listenChannel } from "../src/platform/channel/index.ts";
import { selectHttpEngine } from "../src/platform/http/select.ts";
import { traceRequests } from "../src/platform/http/traced-request.ts";
import { startCore } from "./core.ts";
import { workerProcess } from "./lifecycle.ts";
import { createPlatform, managementSockets } from "./platform.ts";

/** Answers `/v1/call`, with a connection pool of its own so that back-office load cannot starve logins. */
export async function runManagementWorker(slot: number): Promise<void> {
  const worker = await workerProcess("management", slot);
  const { config, log, metrics, tracing } = worker;
  const platform = createPlatform(config, { name: worker.name, log, metrics, tracing });
  const { core, close } = await startCore(platform, worker);
  const service = createManagementService({ core, config, log, limits: core.limits, metrics, tracing });
  const path = managementSockets(config)[slot];
  if (path === undefined) throw new Error(`no socket for management worker ${slot}`);
  const channel = await listenChannel(path, service.channel, { log });
  const address = config.management.listen;
  const listener =
    address === undefined
      ? undefined
      : await (await selectHttpEngine(config.server.engine, {}, log, config.stateDirectory)).listen(
          address.host === undefined ? { port: address.port } : { host: address.host, port: address.port },
          traceRequests(service.http, tracing),
        );
  worker.onDrain(async () => {
    const timeoutMs = config.server.shutdownTimeoutMs;
    await Promise.all([channel.drain(timeoutMs), listener?.drain({ lingerMs: 500, timeoutMs })]);
    await close();
    await platform.close();
  });
  worker.ready();
}
