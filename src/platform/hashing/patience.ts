/** As much as takes so many milliseconds, but never fewer pieces of work than the number. */
interface Bound {
  readonly milliseconds: number;
  readonly pieces: number;
}

/** How long work may wait before it is better refused. */
export interface Patience {
  /** What may wait of a burst. */
  readonly burst: Bound;
  /** Milliseconds after which a queue that has not been empty stands: more comes in than can be done. */
  readonly standsAfterMs: number;
  /** What may wait in a queue that stands. */
  readonly standing: Bound;
}

/**
 * A burst is worked off: whoever is refused comes back after a second at the earliest, so waiting a second serves them better, and waiting
 * longer does not. Under lasting overload a long wait serves nobody more, it only makes everybody slow; there the queue is kept just long enough
 * that a process never runs dry (the reasoning of CoDel, RFC 8289: judge a queue by whether it stands, not by its peaks).
 */
export const defaultPatience: Patience = {
  burst: { milliseconds: 1_000, pieces: 16 },
  standsAfterMs: 2_000,
  standing: { milliseconds: 50, pieces: 6 },
};

/**
 * How many may wait.
 *
 * @param averageMs what one piece of work takes
 * @param waitedMs for how long something has been waiting without a break
 */
export function mayWait(patience: Patience, averageMs: number, waitedMs: number): number {
  const { milliseconds, pieces } = waitedMs > patience.standsAfterMs ? patience.standing : patience.burst;
  return Math.max(pieces, Math.floor(milliseconds / averageMs));
}
