import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { processTree, workerName } from "../processes.ts";

/** Whose CPU time is told apart. */
export interface Watched {
  /** Primary of the cluster. */
  readonly cluster: number;
  readonly postgres: number;
  readonly redis: number;
}

/** CPU seconds so far. */
export interface CpuTimes {
  readonly at: number;
  /** By process: `http:0`, `postgres`, `generator`. */
  readonly byProcess: ReadonlyMap<string, number>;
  /** Of the whole machine, whoever used them. */
  readonly machine: number;
}

/** Cores kept busy during a measurement, on average. */
export interface CpuUse {
  readonly cores: number;
  /** Of all there are, whoever kept them busy. */
  readonly busy: number;
  /** By kind of process, the busiest first: `http`, `hashing`, `postgres`, `generator`. */
  readonly byKind: readonly (readonly [kind: string, cores: number])[];
  /** The single process that used most. PostgreSQL has one for each connection, and is never a single one. */
  readonly busiest: readonly [name: string, cores: number];
}

/** USER_HZ of every Linux platform Node runs on. */
const ticksPerSecond = 100;

/** Busy seconds of all cores together: all of the kernel's account but idle and waiting for disks (`man proc_stat`). */
function machineSeconds(): number {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}

/** Reads the kernel's account of those watched, and of this process, which generates the load (Linux). */
export function cpuTimes({ cluster, postgres, redis }: Watched): CpuTimes {
  const byProcess = new Map<string, number>();
  const add = (name: string, seconds: number): void => {
    byProcess.set(name, (byProcess.get(name) ?? 0) + seconds);
  };
  for (const { pid, cpu } of processTree(cluster)) add(workerName(pid), cpu);
  for (const { cpu } of processTree(postgres)) add("postgres", cpu);
  for (const { cpu } of processTree(redis)) add("redis", cpu);
  const { user, system } = process.cpuUsage();
  add("generator", (user + system) / 1e6);
  return { at: performance.now(), byProcess, machine: machineSeconds() };
}

/** What was used between two readings. */
export function cpuUse(before: CpuTimes, after: CpuTimes): CpuUse {
  const seconds = (after.at - before.at) / 1_000;
  const used = [...after.byProcess].map(
    ([name, cpu]) => [name, Math.max(0, cpu - (before.byProcess.get(name) ?? 0)) / seconds] as const,
  );
  const kinds = new Map<string, number>();
  for (const [name, cores] of used) {
    const kind = name.split(":")[0] ?? name;
    kinds.set(kind, (kinds.get(kind) ?? 0) + cores);
  }
  const busiest = used
    .filter(([name]) => name !== "postgres")
    .reduce((most, one) => (one[1] > most[1] ? one : most), ["", 0]);
  return {
    cores: cpus().length,
    busy: (after.machine - before.machine) / seconds,
    byKind: [...kinds].sort(([, one], [, other]) => other - one),
    busiest,
  };
}
