/** How long work may wait before it is better refused. */
export interface Patience {
  /** Milliseconds after which a queue that has not been empty stands: more comes in than can be done. */
  readonly standsAfterMs: number;
  /** What may wait in a queue that stands: as much as takes so many milliseconds, but never fewer pieces than the numbers say. */
  readonly standing: {
    readonly milliseconds: number;
    /** As long as nobody is refused. */
    readonly most: number;
    /** When twice as much is refused as is taken, or more. */
    readonly least: number;
  };
}

/**
 * A burst is worked off, however many come at once: whoever is refused comes back after a second at the earliest, so waiting a second or two
 * serves them better. Under lasting overload a long wait serves nobody more, it only makes everybody slow; there the queue is kept just long
 * enough that a process never runs dry (the reasoning of CoDel, RFC 8289: judge a queue by whether it stands, not by its peaks). How long that
 * is follows from how much is refused: clients that each wait for their answer can keep a queue standing without ever being too many, and the
 * more come than can be done, the sooner the next one is there.
 */
export const defaultPatience: Patience = {
  standsAfterMs: 2_000,
  standing: { milliseconds: 50, most: 12, least: 3 },
};

/** The share of refusals from which on the queue is shortest. */
const overwhelmed = 2 / 3;

/**
 * How many may wait.
 *
 * @param averageMs what one piece of work takes
 * @param waitedMs for how long something has been waiting without a break
 * @param refused which part of what came lately was refused, 0 to 1
 */
export function mayWait(
  { standsAfterMs, standing }: Patience,
  averageMs: number,
  waitedMs: number,
  refused: number,
): number {
  if (waitedMs <= standsAfterMs) return Number.POSITIVE_INFINITY;
  const { milliseconds, most, least } = standing;
  const pieces = most - Math.round((most - least) * Math.min(1, refused / overwhelmed));
  return Math.max(pieces, Math.floor(milliseconds / averageMs));
}
