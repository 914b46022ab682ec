import type { Clock } from "../../platform/clock.ts";

/** How finely the lifetime is divided: an id is kept for at most a third longer than asked. */
const generations = 3;

/** Ids remembered for a lifetime, then forgotten, without a timer or an expiry for each. */
export interface RecentIds {
  has(id: string): boolean;
  add(id: string): void;
  /** True when ids had to be turned away for lack of room since the oldest one still held: `has` is then incomplete. */
  overflowed(): boolean;
}

/** @param lifetime milliseconds @param capacity ids held at most */
export function createRecentIds(clock: Clock, lifetime: number, capacity: number): RecentIds {
  const period = lifetime / generations;
  let sets: readonly Set<string>[] = [new Set()];
  let rotateAt = clock.monotonic() + period;
  let overflowEnds = 0;

  function rotate(): Set<string> {
    const now = clock.monotonic();
    if (now >= rotateAt) {
      // After a long silence everything held is older than the lifetime.
      const silent = now >= rotateAt + lifetime;
      sets = silent ? [new Set()] : [new Set(), ...sets.slice(0, generations)];
      rotateAt = now + period;
    }
    return sets[0] ?? new Set();
  }

  return {
    has(id) {
      rotate();
      for (const set of sets) if (set.has(id)) return true;
      return false;
    },
    add(id) {
      const youngest = rotate();
      let held = 0;
      for (const set of sets) held += set.size;
      if (held < capacity) youngest.add(id);
      else overflowEnds = clock.monotonic() + lifetime;
    },
    overflowed: () => clock.monotonic() < overflowEnds,
  };
}
