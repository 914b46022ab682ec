/** Waits of the server's own for a connection to the database. Who got one at once is not among them. */
export interface PoolWaits {
  readonly count: number;
  readonly meanMs: number;
  /** Upper bound of the histogram's bucket the 99th percentile lies in. */
  readonly p99Ms: number;
}

/** A Prometheus histogram, summed over all processes: cumulative counts by upper bound, in seconds. */
export interface Histogram {
  readonly buckets: ReadonlyMap<number, number>;
  readonly sum: number;
  readonly count: number;
}

const metric = "authkit_db_pool_wait_seconds";

/** Takes the metric out of the text format. */
export function poolWaits(text: string): Histogram {
  const buckets = new Map<number, number>();
  let sum = 0;
  let count = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(metric)) continue;
    const value = Number(line.slice(line.lastIndexOf(" ") + 1));
    const bound = /[{,]le="([^"]+)"/.exec(line)?.[1];
    if (bound !== undefined) {
      const seconds = bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound);
      buckets.set(seconds, (buckets.get(seconds) ?? 0) + value);
    } else if (line.startsWith(`${metric}_sum`)) sum += value;
    else if (line.startsWith(`${metric}_count`)) count += value;
  }
  return { buckets, sum, count };
}

/** What was waited between two readings. */
export function waitsBetween(before: Histogram, after: Histogram): PoolWaits {
  const count = after.count - before.count;
  if (count <= 0) return { count: 0, meanMs: 0, p99Ms: 0 };
  const bounds = [...after.buckets.keys()].sort((one, other) => one - other);
  const p99 = bounds.find(
    (bound) => (after.buckets.get(bound) ?? 0) - (before.buckets.get(bound) ?? 0) >= count * 0.99,
  );
  return {
    count,
    meanMs: ((after.sum - before.sum) * 1_000) / count,
    p99Ms: (p99 ?? Number.POSITIVE_INFINITY) * 1_000,
  };
}
