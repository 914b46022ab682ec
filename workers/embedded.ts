import { join } from "node:path";
import { type Client, createEmbeddedClient as createClient, type Generation } from "../src/client/index.ts";
import { type Config, loadProcessConfig } from "../src/config/index.ts";
import type { Core } from "../src/core/index.ts";
import { prepareSigningKeys } from "../src/core/signing-keys/index.ts";
import { createManagementService } from "../src/management/worker.ts";
import { systemClock } from "../src/platform/clock.ts";
import { createInProcessHasher } from "../src/platform/hashing/in-process.ts";
import { createLog } from "../src/platform/log/pino.ts";
import type { Log } from "../src/platform/log/port.ts";
import { createMetrics } from "../src/platform/metrics/prometheus.ts";
import { startEmbeddedPostgres } from "../src/platform/postgres/index.ts";
import { systemRandom } from "../src/platform/random.ts";
import { startCore } from "./core.ts";
import { prepareDatabase } from "./database-preparation.ts";
import { createPlatform, type RunningPlatform } from "./platform.ts";

export interface EmbeddedOptions {
  /** Default: that of the process's environment, as the server reads it. */
  readonly config?: Config;
  /** Default: the configured one, on standard error. */
  readonly log?: Log;
  /** Shown in `pg_stat_activity` and in Redis' client list. Default `embedded`. */
  readonly name?: string;
  /** Connections of the pool; default the configured number. */
  readonly poolMax?: number;
}

/** The server's capabilities inside this process: no port, no workers, no token. */
export interface EmbeddedServer {
  readonly config: Config;
  readonly core: Core;
  readonly platform: RunningPlatform;
  /** The management API over the capabilities. */
  client<G extends Generation = "0.73">(options?: {
    readonly contract?: G;
    readonly timeoutMs?: number;
  }): Client<G>;
  /** Ends connections; an embedded database that was started for this process stops. */
  close(): Promise<void>;
}

/**
 * Starts the capabilities over PostgreSQL and Redis as configured. The database is migrated, or refused, as at the start of a server. Messages
 * are queued, and sent by the servers of the same deployment.
 *
 * @throws ConfigError, and Error where the database lacks migrations
 */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const given = options.config ?? loadProcessConfig(process.env).config;
  const name = options.name ?? "embedded";
  const log =
    options.log ?? createLog(given.log, { worker: name, write: (line) => process.stderr.write(line) });
  const metrics = createMetrics(name);
  const postgres =
    given.database.url === "embedded"
      ? await startEmbeddedPostgres({ directory: join(given.stateDirectory, "postgres"), log })
      : undefined;
  const config =
    postgres === undefined ? given : { ...given, database: { ...given.database, url: postgres.url } };
  const undo: (() => Promise<void>)[] = postgres === undefined ? [] : [() => postgres.stop()];
  const close = async (): Promise<void> => {
    for (const task of undo.splice(0).reverse()) await task();
  };
  try {
    await prepareDatabase(config, { log, metrics });
    await prepareSigningKeys({ config, clock: systemClock, random: systemRandom, log });
    const hasher = createInProcessHasher(config.passwords.argon2, config.passwords.queueLimit);
    const platform = createPlatform(config, { name, log, metrics, poolMax: options.poolMax, hasher });
    undo.push(() => platform.close());
    const running = await startCore(platform);
    undo.push(() => running.close());
    const { core } = running;
    const service = createManagementService({ core, config, log, limits: core.limits, metrics });
    return {
      config,
      core,
      platform,
      client: (settings) => createClient({ call: service.local, ...settings }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface EmbeddedClient<G extends Generation> {
  readonly client: Client<G>;
  close(): Promise<void>;
}

/**
 * The management API in a program of one's own, without HTTP: `const { client, close } = await createEmbeddedClient({ config })`. Same
 * arguments, results and errors as over the network.
 */
export async function createEmbeddedClient<G extends Generation = "0.73">(
  options: EmbeddedOptions & { readonly contract?: G; readonly timeoutMs?: number } = {},
): Promise<EmbeddedClient<G>> {
  const { contract, timeoutMs, ...others } = options;
  const server = await startEmbedded(others);
  return {
    client: server.client<G>({
      ...(contract === undefined ? {} : { contract }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }),
    close: server.close,
  };
}
