import { createClientIpResolver } from "../src/core/limits/client-ip.ts";
import { createHealth } from "../src/http/health.ts";
import { readinessChecks } from "../src/http/readiness.ts";
import { routes } from "../src/http/routes/index.ts";
import { createHttpHandler } from "../src/http/server.ts";
import { createForwarder } from "../src/management/forwarder.ts";
import { connectChannel } from "../src/platform/channel/index.ts";
import type { HttpRequest } from "../src/platform/http/engine.ts";
import { selectHttpEngine } from "../src/platform/http/select.ts";
import { traceRequests } from "../src/platform/http/traced-request.ts";
import { startCore } from "./core.ts";
import { workerProcess } from "./lifecycle.ts";
import { createPlatform, managementSockets } from "./platform.ts";

/** Milliseconds an old worker goes on answering connections it has already accepted. */
const lingerMs = 1_500;

/** Serves browsers and apps, JWKS and health; forwards `/v1/call`. */
export async function runHttpWorker(slot: number): Promise<void> {
  const worker = await workerProcess("http", slot);
  const { config, log, metrics, tracing } = worker;
  const platform = createPlatform(config, { name: worker.name, log, metrics, tracing });
  const { core, close } = await startCore(platform, worker);
  const { trustedProxies, trustCloudflare } = config.server;
  const resolveIp = createClientIpResolver(trustedProxies, trustCloudflare, (peer) =>
    log.warn(
      { peer },
      "X-Forwarded-For of a private peer is ignored: if this is your proxy, name it in AUTHKIT_TRUSTED_PROXIES, or all its clients share one rate limit",
    ),
  );
  const clientIp = (request: HttpRequest): string | undefined =>
    resolveIp(request.remoteAddress, (name) => request.headerValues(name));
  const health = createHealth(readinessChecks(platform, core));
  const mounted = config.management.open || config.management.tokens.length > 0;
  const channel = mounted ? connectChannel(managementSockets(config), { log }) : undefined;
  const handler = createHttpHandler({
    core,
    config,
    routes,
    management:
      channel === undefined
        ? undefined
        : createForwarder({ channel, config, log, limits: core.limits, clientIp, tracing }),
    health,
    clientIp,
    log,
    metrics,
    tracing,
  });
  const engine = await selectHttpEngine(config.server.engine, {}, log, config.stateDirectory);
  const { host, port } = config.server.listen;
  await worker.othersServe();
  const listener = await engine.listen(
    host === undefined ? { port } : { host, port },
    traceRequests(handler, tracing),
  );
  worker.onDrain(async () => {
    health.drain();
    await listener.drain({ lingerMs, timeoutMs: config.server.shutdownTimeoutMs });
    await channel?.close();
    await close();
    await platform.close();
  });
  worker.ready({ port: listener.port, engine: engine.name });
}
