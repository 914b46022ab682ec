/** Where an http worker serves, and with which engine. */
export interface Served {
  readonly port: number;
  readonly engine: "uws" | "node";
}

/** What the primary finds out before anything serves, as settings: the embedded database's address, for example. */
export type Findings = Readonly<Record<string, string>>;

/** What primary and workers tell each other over the cluster's IPC. */
export type ToPrimary =
  /** The code is loaded: asks to be told when the stores are prepared. */
  | { readonly type: "loaded" }
  /** All is there but what others of this node do: asks to be told when it may serve. */
  | { readonly type: "prepared" }
  | { readonly type: "ready"; readonly served?: Served }
  /** Not ready because of an outage elsewhere, and alive. */
  | { readonly type: "waiting" }
  | { readonly type: "metrics"; readonly id: number; readonly data: unknown };

export type ToWorker =
  | { readonly type: "begin"; readonly findings: Findings }
  | { readonly type: "serve" }
  | { readonly type: "drain" }
  | { readonly type: "metrics"; readonly id: number };

const fromWorkers: ReadonlySet<unknown> = new Set<ToPrimary["type"]>([
  "loaded",
  "prepared",
  "ready",
  "waiting",
  "metrics",
]);
const fromPrimary: ReadonlySet<unknown> = new Set<ToWorker["type"]>(["begin", "serve", "drain", "metrics"]);

function hasType(value: unknown): value is { readonly type: unknown } {
  return typeof value === "object" && value !== null && "type" in value;
}

/** Whether an IPC message from a worker is one of ours. */
export function isToPrimary(value: unknown): value is ToPrimary {
  return hasType(value) && fromWorkers.has(value.type);
}

/** Whether an IPC message from the primary is one of ours. */
export function isToWorker(value: unknown): value is ToWorker {
  return hasType(value) && fromPrimary.has(value.type);
}

export type WorkerKind = "hashing" | "management" | "http" | "jobs";

export interface WorkerIdentity {
  readonly kind: WorkerKind;
  readonly slot: number;
}

/** Environment variable by which a forked process learns what it is. */
export const identityVariable = "AUTHKIT_WORKER";

/** Parses `http:1`; undefined in the primary. */
export function parseIdentity(text: string | undefined): WorkerIdentity | undefined {
  const match = /^(hashing|management|http|jobs):(\d+)$/.exec(text ?? "");
  if (match === null) return undefined;
  const kind = match[1];
  if (kind !== "hashing" && kind !== "management" && kind !== "http" && kind !== "jobs") return undefined;
  return { kind, slot: Number(match[2]) };
}
