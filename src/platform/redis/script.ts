import { createHash } from "node:crypto";
import type { RedisClient } from "./connection.ts";

/**
 * A Lua script over one key, which keeps it within one hash slot. Runs by its digest; a server that does not know it yet
 * (new, restarted, failed over) gets the text.
 */
export interface RedisScript {
  run(client: RedisClient, key: string, ...args: (string | number)[]): Promise<unknown>;
}

export function redisScript(text: string): RedisScript {
  const digest = createHash("sha1").update(text).digest("hex");
  return {
    async run(client, key, ...args) {
      try {
        return await client.evalsha(digest, 1, key, ...args);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
        return await client.eval(text, 1, key, ...args);
      }
    },
  };
}
