/** How long work may wait before it is better refused. */
export interface Patience {
  /** Milliseconds after which a queue that has not been empty stands: more comes in than can be done. */
  readonly standsAfterMs: number;
  /** What may wait in a queue that stands: as much as takes so many milliseconds, but never fewer pieces than the number. */
  readonly standing: { readonly milliseconds: number; readonly pieces: number };
}

/**
 * A burst is worked off, however many come at once: whoever is refused comes back after a second at the earliest, so waiting a second or two
 * serves them better. Under lasting overload a long wait serves nobody more, it only makes everybody slow; there the queue is kept just long
 * enough that a process never runs dry (the reasoning of CoDel, RFC 8289: judge a queue by whether it stands, not by its peaks).
 */
export const defaultPatience: Patience = {
  standsAfterMs: 2_000,
  standing: { milliseconds: 50, pieces: 6 },
};

/**
 * How many may wait.
 *
 * @param averageMs what one piece of work takes
 * @param waitedMs for how long something has been waiting without a break
 */
export function mayWait({ standsAfterMs, standing }: Patience, averageMs: number, waitedMs: number): number {
  if (waitedMs <= standsAfterMs) return Number.POSITIVE_INFINITY;
  return Math.max(standing.pieces, Math.floor(standing.milliseconds / averageMs));
}
