import type { ConnectionOptions } from "node:tls";
import type { ClusterOptions, RedisOptions } from "ioredis";
import type { RedisConfig } from "../../config/config.ts";

const connectTimeoutMs = 5_000;
const commandTimeoutMs = 3_000;
/**
 * Behind Sentinel a primary that hangs is soon replaced, and until then it is named to whoever asks: a connection begun in the last moment
 * must be given up soon enough for service within two seconds of the failover.
 */
const sentinelSilenceMs = 1_500;

/** Doubling from 50 ms, never above 400 ms, so that a server that came back is found within two seconds. */
export function reconnectDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 3), 400);
}

/** Replies keep the shapes of the older protocol, whichever one the server speaks. */
type NodeOptions = RedisOptions & { readonly replyMapping: "legacy" };

export function tlsOptions(config: RedisConfig): ConnectionOptions | undefined {
  if (!config.tls) return undefined;
  return { minVersion: "TLSv1.2", ...(config.tlsCa === undefined ? {} : { ca: config.tlsCa }) };
}

/** What every connection to a data node shares, whatever the topology. */
export function nodeOptions(config: RedisConfig, name: string): NodeOptions {
  const tls = tlsOptions(config);
  return {
    replyMapping: "legacy",
    connectionName: name,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // A server that hangs is left, so that later commands fail at once instead of each waiting that long.
    socketTimeout: commandTimeoutMs,
    keepAlive: 10_000,
    // A command waits for at most one further connection attempt: callers learn of an outage within about a second.
    maxRetriesPerRequest: 1,
    // A reply may be lost after the command took effect; repeating it would count twice or lose a taken value.
    autoResendUnfulfilledCommands: false,
    // After a failover the old primary answers READONLY until it is demoted: reconnect to find the new one.
    reconnectOnError: (error) => (error.message.startsWith("READONLY") ? 2 : false),
    ...(config.username === undefined ? {} : { username: config.username }),
    ...(config.password === undefined ? {} : { password: config.password }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** Options of a single server or of a primary found through Sentinel. */
export function serverOptions(config: RedisConfig, name: string): NodeOptions {
  const shared: NodeOptions = {
    ...nodeOptions(config, name),
    db: config.database,
    retryStrategy: reconnectDelay,
  };
  if (config.mode !== "sentinel") {
    const [node] = config.nodes;
    return { ...shared, host: node?.host ?? "127.0.0.1", port: node?.port ?? 6379 };
  }
  const tls = tlsOptions(config);
  return {
    ...shared,
    socketTimeout: sentinelSilenceMs,
    sentinels: config.nodes.map(({ host, port }) => ({ host, port })),
    name: config.sentinelName ?? "mymaster",
    sentinelRetryStrategy: reconnectDelay,
    sentinelCommandTimeout: commandTimeoutMs,
    ...(config.sentinelPassword === undefined ? {} : { sentinelPassword: config.sentinelPassword }),
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
}

export function clusterOptions(
  config: RedisConfig,
  name: string,
): ClusterOptions & { redisOptions: NodeOptions } {
  return {
    clusterRetryStrategy: reconnectDelay,
    retryDelayOnFailover: 100,
    maxRedirections: 8,
    slotsRefreshTimeout: 2_000,
    redisOptions: nodeOptions(config, name),
  };
}
