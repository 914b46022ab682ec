import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ of every Linux platform Node runs on. */
const ticksPerSecond = 100;
const pageBytes = 4096;

export interface ProcessUse {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** CPU seconds, user and system, so far. */
  readonly cpu: number;
  /** Resident bytes. */
  readonly rss: number;
}

function read(pid: number): ProcessUse | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything, so fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      pid,
      parent: Number(fields[1]),
      command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim(),
      cpu: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      rss: Number(fields[21]) * pageBytes,
    };
  } catch {
    // Ended between listing and reading.
    return undefined;
  }
}

/** A process and everything below it, as the kernel accounts for them (Linux). */
export function processTree(root: number): ProcessUse[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => read(Number(name)))
    .filter((use) => use !== undefined);
  const members = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of all) {
      if (members.has(parent) && !members.has(pid)) {
        members.add(pid);
        grown = true;
      }
    }
  }
  return all.filter(({ pid }) => members.has(pid));
}

/** CPU seconds of a process and everything below it. */
export function cpuSeconds(root: number): number {
  return processTree(root).reduce((sum, { cpu }) => sum + cpu, 0);
}

/** What a process of the cluster is, such as `http:0`; `primary` for the one that forks. */
export function workerName(pid: number): string {
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  const entry = environment.find((line) => line.startsWith("AUTHKIT_WORKER="));
  return entry?.slice("AUTHKIT_WORKER=".length) ?? "primary";
}
