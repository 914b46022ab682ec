import type { EphemeralStore } from "../../platform/ephemeral/port.ts";
import type { OutboxEntry } from "./types.ts";

const size = 200;
const keptSeconds = 86_400;
const counterKey = "dev:messages:count";

function slotKey(slot: number): string {
  return `dev:messages:${slot}`;
}

/** The last messages of the console sender, for people and tests in development: a ring in the ephemeral store. */
export interface Outbox {
  add(entry: OutboxEntry): Promise<void>;
  /** Newest first, at most 200, at most a day old. */
  list(): Promise<readonly OutboxEntry[]>;
}

interface Stored {
  readonly number: number;
  readonly entry: OutboxEntry;
}

export function createOutbox(ephemeral: EphemeralStore): Outbox {
  const slots = Array.from({ length: size }, (_, slot) => slotKey(slot));
  return {
    async add(entry) {
      const number = await ephemeral.increment(counterKey, keptSeconds);
      const stored: Stored = { number, entry };
      await ephemeral.set(slotKey(number % size), JSON.stringify(stored), keptSeconds);
    },
    async list() {
      const texts = await ephemeral.getMany(slots);
      return texts
        .filter((text) => text !== undefined)
        .map((text): Stored => JSON.parse(text))
        .sort((a, b) => b.number - a.number)
        .map(({ entry }) => entry);
    },
  };
}
