import type { Platform } from "../platform.ts";
import { apiKeyStore } from "./store.ts";

/** Milliseconds between two writes, and between two notes of one key that are worth a write. */
const flushEvery = 5_000;
const worthWriting = 300_000;

/** Remembers which keys were used and writes it now and then: a request never waits for it, and never costs a write of its own. */
export interface LastUses {
  note(id: string, stored: Date | null): void;
  close(): Promise<void>;
}

export function createLastUses(platform: Pick<Platform, "database" | "clock" | "log">): LastUses {
  const { database, clock, log } = platform;
  let used = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    timer = undefined;
    if (used.size === 0) return;
    const ids = [...used];
    used = new Set();
    try {
      await apiKeyStore.touch(database, ids, clock.now());
    } catch (err) {
      log.warn({ err, keys: ids.length }, "last uses of API keys could not be written");
    }
  }

  return {
    note(id, stored) {
      if (stored !== null && clock.millis() - stored.getTime() < worthWriting) return;
      used.add(id);
      timer ??= setTimeout(() => void flush(), flushEvery).unref();
    },
    async close() {
      clearTimeout(timer);
      await flush();
    },
  };
}
