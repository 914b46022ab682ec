/** The only source of time, so that tests can move it. */
export interface Clock {
  /** Wall clock now. */
  now(): Date;
  /** Wall clock now, milliseconds since the epoch. */
  millis(): number;
  /** Wall clock now, whole seconds since the epoch, as JWT claims want it. */
  epochSeconds(): number;
  /**
   * Milliseconds since some moment, passing at the pace of time whatever happens to the wall clock. For how long ago something was in this
   * process: ages, pauses, deadlines. Means nothing to another process.
   */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  millis: () => Date.now(),
  epochSeconds: () => Math.floor(Date.now() / 1000),
  monotonic: () => performance.now(),
};
