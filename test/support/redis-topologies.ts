import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { until } from "./outcome.ts";
import { freePort } from "./ports.ts";
import { startTestRedis, type TestRedis } from "./redis.ts";
import type { RedisUser } from "./redis-rights.ts";

/** Runs commands at one server, whatever its role. */
export async function atRedis<T>(port: number, run: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ host: "127.0.0.1", port, retryStrategy: null, replyMapping: "legacy" });
  client.on("error", () => undefined);
  try {
    return await run(client);
  } finally {
    client.disconnect();
  }
}

const acl = (user: RedisUser | undefined): string[] => (user === undefined ? [] : ["--user", ...user]);
const login = (user: RedisUser | undefined): string => (user === undefined ? "" : `${user[0]}:password@`);

/** Refusals for lack of rights that a server remembers. */
export function denials({ port }: TestRedis): Promise<unknown> {
  return atRedis(port, (client) => client.call("ACL", "LOG"));
}

/** A primary with one replica, watched by one Sentinel that decides alone. */
export interface SentinelRedis {
  /** For `AUTHKIT_REDIS_URL`. */
  readonly url: string;
  readonly primary: TestRedis;
  readonly replica: TestRedis;
  readonly sentinel: TestRedis;
  /** Resolves when the replica has become the primary. */
  failedOver(): Promise<void>;
  stop(): Promise<void>;
}

/** The name the Sentinel knows the primary by. */
export const sentinelName = "keys";

/** @param user one the servers know beside the default one. */
export async function startSentinelRedis(user?: RedisUser): Promise<SentinelRedis> {
  const known = acl(user);
  const primary = await startTestRedis({ args: known });
  const replica = await startTestRedis({
    args: ["--replicaof", "127.0.0.1", String(primary.port), ...known],
  });
  const directory = await mkdtemp(join(tmpdir(), "authkit-sentinel-"));
  const configFile = join(directory, "sentinel.conf");
  const watched = [
    `monitor ${sentinelName} 127.0.0.1 ${primary.port} 1`,
    `down-after-milliseconds ${sentinelName} 500`,
    `failover-timeout ${sentinelName} 3000`,
  ];
  await writeFile(configFile, watched.map((line) => `sentinel ${line}\n`).join(""));
  const sentinel = await startTestRedis({ configFile });
  const says = async (port: number, section: string, words: RegExp): Promise<boolean> => {
    try {
      return words.test(await atRedis(port, (client) => client.info(section)));
    } catch {
      // A Sentinel ends all connections of the one it makes the primary.
      return false;
    }
  };
  await until("the replica is online", 15, () => says(primary.port, "replication", /slave0:.*state=online/));
  await until("the Sentinel knows the replica", 20, () => says(sentinel.port, "sentinel", /slaves=1/));
  return {
    url: `redis+sentinel://${login(user)}127.0.0.1:${sentinel.port}/${sentinelName}`,
    ...{ primary, replica, sentinel },
    failedOver: () =>
      until(
        "a failover",
        30,
        async () =>
          (await says(replica.port, "replication", /role:master/)) &&
          (await says(sentinel.port, "sentinel", new RegExp(`address=127.0.0.1:${replica.port}`))),
      ),
    async stop() {
      await Promise.all([sentinel.stop(), replica.stop(), primary.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Three masters that share the slots. */
export interface RedisCluster {
  /** For `AUTHKIT_REDIS_URL`. */
  readonly url: string;
  readonly nodes: readonly TestRedis[];
  /**
   * Moves a quarter of the first node's slots to the second, as resharding tools do. Between announcement and move the slots stay in
   * both hands for `openMs`. Resolves with the number of keys that moved.
   */
  moveSlots(openMs: number): Promise<number>;
  stop(): Promise<void>;
}

const slots = [
  [0, 5460],
  [5461, 10922],
  [10923, 16383],
] as const;

async function startNode(user: RedisUser | undefined): Promise<TestRedis & { readonly busPort: number }> {
  const busPort = await freePort();
  const args = ["--cluster-enabled", "yes", "--cluster-port", String(busPort), ...acl(user)];
  return { ...(await startTestRedis({ args })), busPort };
}

/** @param user one the nodes know beside the default one. */
export async function startRedisCluster(user?: RedisUser): Promise<RedisCluster> {
  const nodes = await Promise.all([startNode(user), startNode(user), startNode(user)] as const);
  for (const [i, { port }] of nodes.entries()) {
    const [from, to] = slots[i] ?? [0, 0];
    await atRedis(port, (client) => client.call("CLUSTER", "ADDSLOTSRANGE", from, to));
    await atRedis(port, (client) => client.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1));
  }
  const [first, second, third] = nodes;
  for (const { port, busPort } of [second, third])
    await atRedis(first.port, (client) => client.call("CLUSTER", "MEET", "127.0.0.1", port, busPort));
  for (const { port } of nodes) {
    await until("the cluster has formed", 20, async () =>
      /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(
        String(await atRedis(port, (client) => client.call("CLUSTER", "INFO"))),
      ),
    );
  }
  return {
    url: `redis-cluster://${login(user)}${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    nodes,
    moveSlots: (openMs) => moveSlots(first, second, [first, second, third], openMs),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

async function moveSlots(
  source: TestRedis,
  target: TestRedis,
  all: readonly TestRedis[],
  openMs: number,
): Promise<number> {
  const moving = Array.from({ length: Math.ceil((slots[0][1] + 1) / 4) }, (_, slot) => slot);
  const id = async ({ port }: TestRedis): Promise<string> =>
    String(await atRedis(port, (client) => client.call("CLUSTER", "MYID")));
  const [sourceId, targetId] = [await id(source), await id(target)];
  const assign = ({ port }: TestRedis, ...how: readonly string[]): Promise<unknown> =>
    atRedis(port, (client) =>
      Promise.all(moving.map((slot) => client.call("CLUSTER", "SETSLOT", slot, ...how))),
    );
  await assign(target, "IMPORTING", sourceId);
  await assign(source, "MIGRATING", targetId);
  await new Promise((resolve) => setTimeout(resolve, openMs));
  let moved = 0;
  await atRedis(source.port, async (client) => {
    // New keys of these slots are made at the target by now.
    const held = await Promise.all(
      moving.map((slot) => client.call("CLUSTER", "GETKEYSINSLOT", slot, 1_000)),
    );
    for (const keys of held) {
      if (!Array.isArray(keys) || keys.length === 0) continue;
      await client.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", ...keys.map(String));
      moved += keys.length;
    }
  });
  const others = all.filter((node) => node !== source && node !== target);
  for (const node of [target, source, ...others]) await assign(node, "NODE", targetId);
  return moved;
}
