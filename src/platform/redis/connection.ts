import { Cluster, Redis } from "ioredis";
import type { RedisConfig } from "../../config/config.ts";
import { AuthError } from "../../contract/errors/index.ts";
import type { Log } from "../log/port.ts";
import "./late-errors.ts";
import { clusterOptions, serverOptions } from "./options.ts";

export type RedisClient = Redis | Cluster;

/** One logical connection to Redis: a single server, the primary behind Sentinel, or a Cluster. */
export interface RedisConnection {
  readonly config: RedisConfig;
  /** Whether commands must keep to one hash slot. */
  readonly clustered: boolean;
  /** The name of a key in this deployment. */
  key(name: string): string;
  /**
   * Runs commands. Rejects with `AuthError("service_unavailable")` when the server does not answer: within about a second when it
   * is down, at once when it has been down for longer, after three seconds when it hangs (behind Sentinel half as long). Recovers by itself.
   */
  run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T>;
  /** One round trip; rejects like {@link run}. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds of outage after which commands no longer wait for the connection to come back. */
const failFastAfterMs = 1_000;

/** Opens the connection in the background; commands given meanwhile wait for it as described at {@link RedisConnection.run}. */
export function connectRedis(config: RedisConfig, log: Log, options: { name: string }): RedisConnection {
  const client = open(config, options.name);
  let downSince: number | undefined = performance.now();
  let reported = false;
  /** Why the connection does not stand; commands that gave up on it only say that they did. */
  let lastFailure: Error | undefined;

  client.on("ready", () => {
    downSince = undefined;
    lastFailure = undefined;
    if (reported) log.info({ connection: options.name }, "redis is reachable again");
    reported = false;
  });
  client.on("close", () => {
    downSince ??= performance.now();
  });
  // Without a listener ioredis prints to stderr; one line an outage is enough.
  client.on("error", (error: Error) => {
    lastFailure = error;
    if (!reported) log.error({ connection: options.name, err: error }, "redis is unreachable");
    reported = true;
  });

  async function run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T> {
    if (downSince !== undefined && performance.now() - downSince > failFastAfterMs)
      throw unavailable(lastFailure);
    try {
      return await commands(client);
    } catch (error) {
      if (error instanceof AuthError) throw error;
      const gaveUp = error instanceof Error && error.name === "MaxRetriesPerRequestError";
      throw unavailable(gaveUp ? (lastFailure ?? error) : error);
    }
  }

  return {
    config,
    clustered: config.mode === "cluster",
    key: (name) => config.keyPrefix + name,
    run,
    async ping() {
      await run((redis) => redis.ping());
    },
    async close() {
      // QUIT would wait for a server that is down; everything that matters has been answered by now.
      client.disconnect();
    },
  };
}

function open(config: RedisConfig, name: string): RedisClient {
  if (config.mode !== "cluster") return new Redis(serverOptions(config, name));
  return new Cluster(
    config.nodes.map(({ host, port }) => ({ host, port })),
    clusterOptions(config, name),
  );
}

function unavailable(cause?: unknown): AuthError {
  return new AuthError("service_unavailable", { retryAfter: 1, ...(cause === undefined ? {} : { cause }) });
}
