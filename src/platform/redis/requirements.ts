import type { RedisClient, RedisConnection } from "./connection.ts";

/** First version with GETDEL, which single-use values rest on. */
const minimumVersion = [6, 2] as const;

/** What `doctor` and the start of a process want to know of a server. */
export interface RedisFacts {
  readonly version: string;
  /** How the server makes room when its memory is full. */
  readonly evictionPolicy: string | undefined;
}

/**
 * Checks that the server can carry our state.
 *
 * @throws Error naming the fault and its remedy when the server is too old; `AuthError("service_unavailable")` when it is unreachable.
 */
export async function assertRedisUsable(connection: RedisConnection): Promise<RedisFacts> {
  const info = await connection.run((client) => serverInfo(client));
  const version = field(info, "redis_version") ?? "unknown";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (!(major > minimumVersion[0] || (major === minimumVersion[0] && minor >= minimumVersion[1]))) {
    throw new Error(
      `Redis ${version} is too old: ${minimumVersion.join(".")} or later is needed. Upgrade the server AUTHKIT_REDIS_URL points to.`,
    );
  }
  return { version, evictionPolicy: field(info, "maxmemory_policy") };
}

/** Under `allkeys-*` the server may drop unexpired codes and counters at any time. */
export function evictsLiveKeys(facts: RedisFacts): boolean {
  return facts.evictionPolicy?.startsWith("allkeys-") ?? false;
}

async function serverInfo(client: RedisClient): Promise<string> {
  return await client.info();
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
}
