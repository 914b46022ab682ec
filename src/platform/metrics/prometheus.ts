import {
  AggregatorRegistry,
  collectDefaultMetrics,
  type MetricObject,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from "prom-client";
import type { Labels, Metrics } from "./port.ts";

/** Bucket bounds in seconds: half a millisecond for signing and look-ups, up to ten seconds for a hash under load. */
const secondsBuckets: readonly number[] = [
  0.0005, 0.00075, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10,
];

/** The instruments of one process, and their state as JSON for whoever answers `/metrics` for the node. */
export interface ProcessMetrics extends Metrics {
  /** Structured-clonable; goes to {@link aggregateMetrics}. */
  snapshot(): Promise<readonly unknown[]>;
}

/**
 * @param worker label of this process on its own series (CPU, memory, event loop); the program's series carry no worker label and
 *   add up over the processes.
 */
export function createMetrics(worker: string): ProcessMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, labels: { worker } });
  const counters = new Map<string, PromCounter<string>>();
  const gauges = new Map<string, PromGauge<string>>();
  const histograms = new Map<string, PromHistogram<string>>();
  const registers = [registry];

  return {
    counter(name, help, labels = []) {
      const instrument = once(
        counters,
        name,
        () => new PromCounter({ name, help, labelNames: [...labels], registers }),
      );
      return { add: (values: Labels = {}, value = 1) => instrument.inc({ ...values }, value) };
    },
    gauge(name, help, labels = []) {
      const instrument = once(
        gauges,
        name,
        () => new PromGauge({ name, help, labelNames: [...labels], registers }),
      );
      return { set: (value, values: Labels = {}) => instrument.set({ ...values }, value) };
    },
    histogram(name, help, labels = [], buckets = secondsBuckets) {
      const instrument = once(
        histograms,
        name,
        () => new PromHistogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers }),
      );
      return { observe: (value, values: Labels = {}) => instrument.observe({ ...values }, value) };
    },
    text: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
  };
}

/**
 * One Prometheus text for all processes of a node: series with equal labels are added up. Parts that are no snapshot (a process of
 * another version during a rolling replacement) are left out.
 */
export async function aggregateMetrics(parts: readonly unknown[]): Promise<string> {
  const snapshots = parts.filter(isSnapshot);
  if (snapshots.length === 0) return "";
  return AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot])).metrics();
}

/** Content type of the text exposition format. */
export const metricsContentType = "text/plain; version=0.0.4; charset=utf-8";

function isSnapshot(part: unknown): part is readonly MetricObject[] {
  return (
    Array.isArray(part) &&
    part.every((metric) => typeof metric === "object" && metric !== null && "name" in metric)
  );
}

function once<T>(known: Map<string, T>, name: string, make: () => T): T {
  const present = known.get(name);
  if (present !== undefined) return present;
  const made = make();
  known.set(name, made);
  return made;
}
