import { readdirSync, readFileSync } from "node:fs";

export type WorkerKind = "http" | "management" | "hashing" | "jobs";

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
}

function entries(): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      found.push({ pid: Number(name), parent });
    } catch {
      // Ended meanwhile.
    }
  }
  return found;
}

function identity(pid: number): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return environment.find((entry) => entry.startsWith("AUTHKIT_WORKER="))?.slice("AUTHKIT_WORKER=".length);
  } catch {
    return undefined;
  }
}

/** Ids of the live workers of a kind under a primary. */
export function workersOf(primary: number, kind: WorkerKind): number[] {
  return entries()
    .filter(({ parent, pid }) => parent === primary && identity(pid)?.startsWith(`${kind}:`) === true)
    .map(({ pid }) => pid);
}

/** What a process was started with; nothing when it has ended. */
export function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** Ids of everything below a process, itself included. */
export function familyOf(root: number): number[] {
  const all = entries();
  const family = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of all) {
      if (family.has(parent) && !family.has(pid)) {
        family.add(pid);
        grown = true;
      }
    }
  }
  return [...family];
}

/** Whether a process still runs; one that has ended and waits for its parent to take note does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !"ZX".includes(stat.charAt(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** Resident memory of a process in bytes; 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[21]) * 4096;
  } catch {
    return 0;
  }
}
