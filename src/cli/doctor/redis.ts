import type { Config } from "../../config/config.ts";
import type { Log } from "../../platform/log/port.ts";
import { connectRedis } from "../../platform/redis/connection.ts";
import { assertRedisUsable, evictsLiveKeys } from "../../platform/redis/requirements.ts";
import { type Finding, messageOf, ok, problem, warning } from "./finding.ts";

/** Reachability, version, and whether the server may drop what it was given to keep. */
export async function checkRedis({ redis, environment }: Config, log: Log): Promise<Finding[]> {
  if (redis === undefined) {
    const text = "Redis: none; codes and limits are kept in PostgreSQL";
    return environment.class === "production"
      ? [problem(text, "set AUTHKIT_REDIS_URL: production needs it")]
      : [ok(text)];
  }
  const connection = connectRedis(redis, log, { name: "authkit-doctor" });
  try {
    const facts = await assertRedisUsable(connection);
    const findings = [ok(`Redis ${facts.version} (${redis.mode})`)];
    if (evictsLiveKeys(facts))
      findings.push(
        warning(
          `Redis: maxmemory-policy ${facts.evictionPolicy} drops live codes and counters when memory is short`,
          "set maxmemory-policy to noeviction or volatile-ttl",
        ),
      );
    return findings;
  } catch (error) {
    return [
      problem(
        `Redis: ${messageOf(error)}`,
        "check AUTHKIT_REDIS_URL, password and TLS, and that the server runs",
      ),
    ];
  } finally {
    await connection.close();
  }
}
