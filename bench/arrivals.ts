import { Pool } from "undici";
import type { Measured, NextRequest } from "./load.ts";
import { cpuSeconds } from "./processes.ts";

export interface ArrivalOptions {
  readonly url: string;
  /** Requests a second, on average. */
  readonly rate: number;
  /** Seconds during which requests arrive. */
  readonly duration: number;
  /** Processes whose trees' CPU time is counted. */
  readonly servers: readonly number[];
  next(): NextRequest;
}

/** One request of an open load. */
export interface Arrival {
  /** Milliseconds from the start of the load to when it was due. */
  readonly at: number;
  /** Milliseconds from when it was due to the end of its answer. */
  readonly took: number;
  /** 0 where no answer came. */
  readonly status: number;
  readonly retryAfter: string | undefined;
}

export interface OpenLoad {
  readonly arrivals: readonly Arrival[];
  readonly cpuMicros: number;
}

const timeoutMs = 20_000;

/**
 * An open load: requests are sent when they are due, at random moments (a Poisson process), however long the answers to the ones before take.
 * Their time counts from when they were due, so that a generator that comes late hides nothing.
 */
export async function arrive(options: ArrivalOptions): Promise<OpenLoad> {
  const { url, rate, duration, servers, next } = options;
  const spent = (): number => servers.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  // As many connections as there are requests under way.
  const pool = new Pool(url, { connections: null, pipelining: 1 });
  const cpuBefore = spent();
  const started = performance.now();
  const asked: Promise<Arrival>[] = [];
  for (let at = 0; ; ) {
    at += (-Math.log(1 - Math.random()) * 1_000) / rate;
    if (at >= duration * 1_000) break;
    const wait = started + at - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    asked.push(ask(pool, next(), started, at));
  }
  const arrivals = await Promise.all(asked);
  const cpu = spent() - cpuBefore;
  await pool.close();
  return { arrivals, cpuMicros: arrivals.length === 0 ? 0 : (cpu * 1e6) / arrivals.length };
}

async function ask(pool: Pool, request: NextRequest, started: number, at: number): Promise<Arrival> {
  const took = (): number => performance.now() - started - at;
  try {
    const { statusCode, headers, body } = await pool.request({
      path: request.path,
      method: request.method,
      headers: request.headers ?? null,
      body: request.body ?? null,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    await body.dump();
    const retryAfter = headers["retry-after"];
    return {
      ...{ at, took: took(), status: statusCode },
      retryAfter: typeof retryAfter === "string" ? retryAfter : undefined,
    };
  } catch {
    return { at, took: took(), status: 0, retryAfter: undefined };
  }
}

/** The value below which the share of the values lies; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** What those that were due from `from` (inclusive) to `to` (exclusive) seconds met: rate and times of the accepted ones. */
export function measuredBetween(load: OpenLoad, from: number, to: number): Measured {
  const due = load.arrivals.filter(({ at }) => at >= from * 1_000 && at < to * 1_000);
  const accepted = due.filter(({ status }) => status >= 200 && status < 300).map(({ took }) => took);
  const errors = due.filter(({ status }) => status === 0).length;
  return {
    answers: due.length - errors,
    rate: accepted.length / (to - from),
    p50: percentile(accepted, 0.5),
    p99: percentile(accepted, 0.99),
    errors,
    refused: due.length - errors - accepted.length,
    cpuMicros: load.cpuMicros,
  };
}
