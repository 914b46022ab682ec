/** Label values must come from small closed sets: never user ids, addresses or free text. */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(labels?: Labels, value?: number): void;
}
export interface Gauge {
  set(value: number, labels?: Labels): void;
}
export interface Histogram {
  /** Seconds for durations, bytes for sizes. */
  observe(value: number, labels?: Labels): void;
}

/** Names start with `authkit_`, end with `_total` or the base unit. Asking twice for a name gives the same instrument. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  histogram(name: string, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram;
  /** This process's series in Prometheus text format. */
  text(): Promise<string>;
}
