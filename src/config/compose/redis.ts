import type { RedisConfig } from "../config.ts";
import { type HostPort, parseHostPort } from "../network.ts";
import { BadValue } from "../values.ts";
import type { Input } from "./input.ts";

/** What a Redis address says, before prefix and certificate are added. */
export type RedisTarget = Omit<RedisConfig, "keyPrefix" | "tlsCa">;

const redisPort = 6_379;
const sentinelPort = 26_379;

/** Undefined only in development without Redis (or with a problem found). */
export function composeRedis(input: Input): RedisConfig | undefined {
  const { values, findings, development } = input;
  const url = values.redisUrl;
  const address = values.redisAddress;
  if (url !== undefined && address !== undefined) {
    findings.refuse(
      "AUTHKIT_REDIS_URL",
      "and AUTHKIT_REDIS_ADDR are both set",
      "not both: keep one of the two",
    );
    return undefined;
  }
  const target =
    url !== undefined ? fromUrl(url, input) : address !== undefined ? fromAddress(address, input) : undefined;
  if (url === undefined && address === undefined && !development) {
    findings.refuse(
      "AUTHKIT_REDIS_URL",
      "is not set, and production needs Redis",
      "set it, or AUTHKIT_REDIS_ADDR",
    );
  }
  if (target === undefined) return undefined;
  if (values.redisCa !== undefined && !target.tls) {
    findings.refuse(
      "AUTHKIT_REDIS_CA_PEM",
      "is set for a connection without TLS",
      "use rediss:// in AUTHKIT_REDIS_URL",
    );
  }
  return { ...target, tlsCa: values.redisCa?.replaceAll("\\n", "\n"), keyPrefix: values.redisKeyPrefix };
}

function fromUrl(url: string, { values, findings }: Input): RedisTarget | undefined {
  for (const key of ["redisPassword", "redisUsername", "redisSentinelMaster"] as const) {
    if (values[key] === undefined) continue;
    const name = {
      redisPassword: "PASSWORD",
      redisUsername: "USERNAME",
      redisSentinelMaster: "SENTINEL_MASTER",
    }[key];
    findings.refuse(`AUTHKIT_REDIS_${name}`, "is set beside AUTHKIT_REDIS_URL", "write it into the URL");
  }
  try {
    const { target, unknown } = parseRedisUrl(url);
    for (const parameter of unknown)
      findings.warn("AUTHKIT_REDIS_URL", `the parameter ${parameter} is not known and ignored`);
    return { ...target, sentinelPassword: target.sentinelPassword ?? values.redisSentinelPassword };
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    findings.refuse(
      "AUTHKIT_REDIS_URL",
      `the value ${error.message}`,
      "must be redis://[user:password@]host:port/db, rediss://…, redis+sentinel://hosts/master/db or redis-cluster://hosts",
    );
    return undefined;
  }
}

function fromAddress(addresses: readonly string[], { values, findings }: Input): RedisTarget | undefined {
  const sentinel = values.redisSentinelMaster !== undefined;
  try {
    const nodes = addresses.map((address) => parseHostPort(address, sentinel ? sentinelPort : redisPort));
    if (nodes.length === 0) throw new BadValue("names no host");
    return {
      mode: sentinel ? "sentinel" : nodes.length > 1 ? "cluster" : "single",
      nodes,
      sentinelName: values.redisSentinelMaster,
      username: values.redisUsername,
      password: values.redisPassword,
      sentinelPassword: values.redisSentinelPassword,
      database: 0,
      tls: false,
    };
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    findings.refuse(
      "AUTHKIT_REDIS_ADDR",
      `${JSON.stringify(addresses.join(","))} ${error.message}`,
      "must be host:port, or several separated by commas",
    );
    return undefined;
  }
}

const form = /^(rediss?)(?:[+-](sentinel|cluster))?:\/\/(?:([^/?#]*)@)?([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;
const knownParameters = new Set(["db", "master", "sentinel_password", "sentinelpassword"]);

/**
 * Takes a Redis URL apart: `redis://` and `rediss://` for one server (several hosts: a cluster), `redis+sentinel://` with the
 * master's name as first path segment, `redis-cluster://`. Throws {@link BadValue}; its message never holds the URL.
 */
export function parseRedisUrl(url: string): { target: RedisTarget; unknown: readonly string[] } {
  const match = form.exec(url.trim());
  if (match === null) throw new BadValue("is not a Redis URL");
  const [, scheme = "", topology, userinfo, authority = "", path = "", query = ""] = match;
  const parameters = new URLSearchParams(query);
  const sentinel = topology?.toLowerCase() === "sentinel";
  const nodes = hosts(authority, sentinel ? sentinelPort : redisPort);
  const mode = sentinel ? "sentinel" : topology !== undefined || nodes.length > 1 ? "cluster" : "single";
  const segments = path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decode);
  const master = sentinel ? (segments.shift() ?? parameters.get("master") ?? undefined) : undefined;
  if (sentinel && (master === undefined || master === "")) throw new BadValue("names no master");
  if (segments.length > 1) throw new BadValue("has a path that is no database number");
  const database = databaseNumber(segments[0] ?? parameters.get("db") ?? "0");
  if (mode === "cluster" && database !== 0)
    throw new BadValue("names a database, which a cluster does not have");
  return {
    target: {
      mode,
      nodes,
      sentinelName: master,
      ...credentials(userinfo),
      sentinelPassword:
        parameters.get("sentinel_password") ?? parameters.get("sentinelPassword") ?? undefined,
      database,
      tls: scheme.toLowerCase() === "rediss",
    },
    unknown: [...parameters.keys()].filter((name) => !knownParameters.has(name.toLowerCase())),
  };
}

function hosts(authority: string, defaultPort: number): readonly HostPort[] {
  if (authority === "") throw new BadValue("names no host");
  return authority.split(",").map((part) => parseHostPort(part.trim(), defaultPort));
}

function credentials(userinfo: string | undefined): Pick<RedisTarget, "username" | "password"> {
  if (userinfo === undefined || userinfo === "") return { username: undefined, password: undefined };
  const colon = userinfo.indexOf(":");
  const user = decode(colon < 0 ? userinfo : userinfo.slice(0, colon));
  const password = colon < 0 ? undefined : decode(userinfo.slice(colon + 1));
  return { username: user === "" ? undefined : user, password: password === "" ? undefined : password };
}

function databaseNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new BadValue("has a path that is no database number");
  return Number(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BadValue("has an invalid percent escape");
  }
}
