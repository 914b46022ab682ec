import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../src/config/config.ts";
import { ConfigError, loadProcessConfig } from "../src/config/index.ts";
import { prepareSigningKeys, prepareTotpKey } from "../src/core/signing-keys/index.ts";
import { systemClock } from "../src/platform/clock.ts";
import { acquirePortLock } from "../src/platform/http/port-lock.ts";
import { createLog } from "../src/platform/log/pino.ts";
import type { Log } from "../src/platform/log/port.ts";
import { createMetrics } from "../src/platform/metrics/prometheus.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../src/platform/postgres/index.ts";
import { currentWorkerEntry, workerEntry } from "../src/platform/program/bundle.ts";
import { makeWherePossible } from "../src/platform/program/make.ts";
import { systemRandom } from "../src/platform/random.ts";
import { serviceManager } from "../src/platform/service-manager.ts";
import { announce } from "./announcement.ts";
import { prepareDatabase } from "./database-preparation.ts";
import { listenMetrics, type MetricsListener } from "./metrics-listener.ts";
import { awaitStores } from "./stores.ts";
import type { Findings } from "./supervision/messages.ts";
import { createSupervisor } from "./supervision/supervisor.ts";

/** Signals that end the server; a second one ends it at once. */
const endSignals = ["SIGTERM", "SIGINT"] as const;

/** The embedded PostgreSQL, when the configuration asks for it; its URL goes to the workers through the environment. */
async function embeddedDatabase(config: Config, log: Log): Promise<EmbeddedPostgres | undefined> {
  if (config.database.url !== "embedded") return undefined;
  return startEmbeddedPostgres({ directory: join(config.stateDirectory, "postgres"), log });
}

/**
 * Runs the primary process: prepares what the workers need, forks and supervises them, and lives until a signal or a crash loop.
 * Serves no request itself. Resolves with the exit code.
 */
export async function runPrimary(environment: NodeJS.ProcessEnv): Promise<number> {
  const started = performance.now();
  const { config, warnings } = loadProcessConfig(environment);
  const log = createLog(config.log, { worker: "primary" });
  for (const warning of warnings) log.warn({}, warning);
  const metrics = createMetrics("primary");

  await mkdir(config.server.socketDirectory, { recursive: true, mode: 0o700 });
  const lock = await acquirePortLock(
    config.server.listen.host,
    config.server.listen.port,
    config.stateDirectory,
  );
  let embedded: EmbeddedPostgres | undefined;
  let findings: Findings = {};

  let finish: (code: number) => void = () => undefined;
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const supervisor = createSupervisor({
    config,
    entry: workerEntry(),
    // The sources may have been replaced by those of another release.
    replacementEntry: () =>
      currentWorkerEntry((bundle) => makeWherePossible(bundle, (reason) => log.warn({}, reason))),
    environment,
    log,
    onCrashLoop: (worker) => {
      log.fatal({ slot: worker }, "giving up: the worker does not survive; see its last lines above");
      finish(1);
    },
  });

  let unwatch: (() => void) | undefined;
  let metricsListener: MetricsListener | undefined;
  try {
    embedded = await embeddedDatabase(config, log);
    // Not before: making a database takes all that the machine has.
    supervisor.fork();
    if (embedded !== undefined) findings = { DB_URL: embedded.url };
    const resolved =
      embedded === undefined ? config : loadProcessConfig({ ...environment, ...findings }).config;
    await awaitStores(resolved, log);
    await prepareDatabase(resolved, { log, metrics });
    await prepareSigningKeys({ config: resolved, clock: systemClock, random: systemRandom, log });
    await prepareTotpKey(resolved, log);
    if (config.bootstrap.path !== undefined) {
      const { applyConfiguredManifest } = await import("./bootstrap.ts");
      const { staticEntitlements } = await applyConfiguredManifest(resolved, config.bootstrap.path, log);
      // What an operator names wins.
      if (staticEntitlements.length > 0 && environment["AUTHKIT_STATIC_ENTITLEMENTS"] === undefined)
        findings = { ...findings, AUTHKIT_STATIC_ENTITLEMENTS: staticEntitlements.join(",") };
    }

    const manager = serviceManager(environment, log);
    const serving = (): void => manager?.ready(`serving on port ${supervisor.served()?.port}`);
    let ending = false;
    const end = (signal: string): void => {
      if (ending) {
        log.warn({ signal }, "second signal: ending at once");
        process.exit(1);
      }
      ending = true;
      log.info({ signal }, "draining");
      manager?.stopping();
      finish(0);
    };
    for (const signal of endSignals) process.on(signal, () => end(signal));
    process.on("SIGHUP", () => {
      log.info({}, "replacing workers one by one");
      manager?.reloading();
      supervisor
        .roll()
        .catch((error: unknown) =>
          log.error({ err: error }, "replacement stopped; the workers not yet replaced serve on"),
        )
        .finally(() => {
          if (!ending) serving();
        });
    });

    metricsListener = await listenMetrics(config, supervisor, metrics, log);
    await supervisor.start(findings);
    announce(
      config,
      {
        served: supervisor.served(),
        startMs: performance.now() - started,
        embedded: embedded !== undefined,
      },
      log,
    );
    serving();
    unwatch = manager?.watch(() => supervisor.answers());
    return await finished;
  } finally {
    unwatch?.();
    await supervisor.stop();
    await metricsListener?.close();
    await embedded?.stop();
    await lock.release();
    log.info({}, "stopped");
  }
}

export { ConfigError };
