import { AuthError } from "../../contract/errors/index.ts";
import type { Metrics } from "../metrics/port.ts";
import { ConstraintViolation, type PoolState } from "./port.ts";

/** What the database port reports about itself. */
export interface Instruments {
  took(milliseconds: number): void;
  waited(milliseconds: number): void;
  failed(error: unknown): void;
  conflicted(): void;
  stop(): void;
}

const sampleMs = 5_000;
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function createInstruments(metrics: Metrics, pool: () => PoolState): Instruments {
  const duration = metrics.histogram(
    "authkit_database_statement_seconds",
    "Time from a statement's start, with the wait for a connection, to its answer",
    [],
    buckets,
  );
  const wait = metrics.histogram(
    "authkit_db_pool_wait_seconds",
    "Time callers waited for a connection; who got one at once is not counted",
    [],
    buckets,
  );
  const failures = metrics.counter(
    "authkit_database_failures_total",
    "Statements and transactions that failed",
    ["kind"],
  );
  const conflicts = metrics.counter(
    "authkit_database_conflicts_total",
    "Transactions undone by a serialization failure or deadlock and tried again",
  );
  const connections = metrics.gauge("authkit_database_connections", "Connections of this process", ["state"]);
  const sample = () => {
    const { total, idle, waiting } = pool();
    connections.set(total, { state: "total" });
    connections.set(idle, { state: "idle" });
    connections.set(waiting, { state: "waiting" });
  };
  const timer = setInterval(sample, sampleMs);
  timer.unref();
  sample();
  return {
    took: (milliseconds) => duration.observe(milliseconds / 1000),
    waited: (milliseconds) => wait.observe(milliseconds / 1000),
    failed: (error) => {
      if (error instanceof ConstraintViolation) failures.add({ kind: "constraint" });
      else if (!(error instanceof AuthError)) failures.add({ kind: "error" });
      else if (error.code === "service_unavailable") failures.add({ kind: "unavailable" });
    },
    conflicted: () => conflicts.add(),
    stop: () => clearInterval(timer),
  };
}
