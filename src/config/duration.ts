const unitMilliseconds: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Longest duration Go can hold: 2^63 − 1 nanoseconds, here in milliseconds. */
const longest = 9_223_372_036_854.775;

/**
 * Milliseconds of a duration in Go's syntax (`300ms`, `1h30m`, `-1s`, `1.5h`, `0`), or undefined when the text is none.
 * A bare number other than `0` has no unit and is refused.
 */
export function parseGoDuration(text: string): number | undefined {
  const whole = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (whole === null) return undefined;
  const [, sign = "", body = ""] = whole;
  let milliseconds = 0;
  for (const [, amount = "", unit = ""] of body.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    milliseconds += Number(amount) * (unitMilliseconds[unit] ?? 0);
  }
  if (milliseconds > longest) return undefined;
  return sign === "-" ? 0 - milliseconds : milliseconds;
}

/** The shortest Go form of a duration, for documentation and `config print`. */
export function formatGoDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0";
  const sign = milliseconds < 0 ? "-" : "";
  let rest = Math.abs(milliseconds);
  let out = "";
  for (const unit of ["h", "m", "s", "ms"] as const) {
    const size = unitMilliseconds[unit] ?? 1;
    const amount = unit === "ms" ? rest : Math.floor(rest / size);
    if (amount > 0) out += `${amount}${unit}`;
    rest -= amount * size;
  }
  return sign + out;
}
