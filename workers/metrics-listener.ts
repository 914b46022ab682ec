import type { Config } from "../src/config/config.ts";
import type { Log } from "../src/platform/log/port.ts";
import {
  aggregateMetrics,
  metricsContentType,
  type ProcessMetrics,
} from "../src/platform/metrics/prometheus.ts";
import type { Supervisor } from "./supervision/supervisor.ts";

// An `import` would read every member of the module, and one of them loads Node's own `fetch`: 14 MB.
const { createServer } = process.getBuiltinModule("node:http");

export interface MetricsListener {
  close(): Promise<void>;
}

/** Serves `/metrics` of the whole node on a listener of its own, so that no scrape ever competes with a login. */
export async function listenMetrics(
  config: Config,
  supervisor: Supervisor,
  own: ProcessMetrics,
  log: Log,
): Promise<MetricsListener | undefined> {
  const address = config.server.metricsListen;
  if (address === undefined) return undefined;
  const server = createServer((request, response) => {
    if (request.url !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(404).end();
      return;
    }
    (async () => {
      const parts = [await own.snapshot(), ...(await supervisor.metrics())];
      const text = await aggregateMetrics(parts);
      response.writeHead(200, { "content-type": metricsContentType }).end(text);
    })().catch((error: unknown) => {
      log.error({ err: error }, "metrics could not be served");
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host ?? "127.0.0.1", resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
