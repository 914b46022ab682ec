/** How long work may expect to wait before it is better refused. Each bound is a time, but never fewer pieces of work than the number. */
export interface Patience {
  /** A burst that an otherwise idle process works off. */
  readonly burst: Bound;
  /** A queue that has not been empty for as long as a whole burst takes: more comes in than can be done. */
  readonly standing: Bound;
}

export interface Bound {
  readonly milliseconds: number;
  readonly pieces: number;
}

/**
 * Refused requests are told to come back after a second at the earliest, so whoever can be served within one is better served: bursts may
 * wait that long. Under lasting overload a longer wait serves nobody more, it only makes everybody slow; there the queue is kept just long
 * enough that a process never runs dry (the reasoning of CoDel, RFC 8289: judge a queue by whether it stands, not by its peaks).
 */
export const defaultPatience: Patience = {
  burst: { milliseconds: 1_000, pieces: 8 },
  standing: { milliseconds: 50, pieces: 6 },
};

/**
 * How many may wait.
 *
 * @param averageMs what one piece of work takes
 * @param busyMs for how long something has been waiting without a break
 */
export function mayWait({ burst, standing }: Patience, averageMs: number, busyMs: number): number {
  const lasts = Math.max(burst.milliseconds, burst.pieces * averageMs);
  const { milliseconds, pieces } = busyMs > lasts ? standing : burst;
  return Math.max(pieces, Math.floor(milliseconds / averageMs));
}
