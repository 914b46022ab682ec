/** Milliseconds of `0001-01-01T00:00:00Z`, the contract's "no time". */
export const zeroTimeMillis = -62_135_596_800_000;

/** A new Date at the zero time. */
export function zeroTime(): Date {
  return new Date(zeroTimeMillis);
}

/** Whether `time` is the contract's "no time", to the millisecond. */
export function isZeroTime(time: Date): boolean {
  return time.getTime() === zeroTimeMillis;
}

/**
 * A Date that also knows what is finer than its milliseconds. The decoder makes one only where the text had a finer fraction; the encoder
 * writes it in full. Code that needs milliseconds only treats it as the Date it is.
 */
export class PreciseDate extends Date {
  /** Nanoseconds below the millisecond, 0 to 999 999. */
  readonly subMillisecond: number;

  constructor(millis: number, subMillisecond: number) {
    super(millis);
    this.subMillisecond = subMillisecond;
  }
}
