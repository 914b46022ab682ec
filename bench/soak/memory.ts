import { processTree, workerName } from "../processes.ts";

const mebi = 1024 * 1024;

interface Sample {
  /** Share of the soak that had passed, 0 to 1. */
  readonly at: number;
  readonly megabytes: number;
}

export interface Growth {
  readonly process: string;
  /** Mean of the second quarter, MB. */
  readonly before: number;
  /** Mean of the last eighth, MB. */
  readonly after: number;
}

/** Names of a cluster's processes with their ids and resident memory in MB. */
export function residents(root: number): Map<string, { readonly pid: number; readonly megabytes: number }> {
  return new Map(
    processTree(root).flatMap(({ pid, rss }) => {
      try {
        return [[pid === root ? "primary" : workerName(pid), { pid, megabytes: rss / mebi }] as const];
      } catch {
        // Ended between listing and reading.
        return [];
      }
    }),
  );
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Memory of each process through a soak. A heap swings with its collections and takes a while to find its working size: means are compared, and
 * the first quarter counts for nothing.
 */
export class MemoryRecord {
  readonly #samples = new Map<string, Sample[]>();

  add(process: string, at: number, megabytes: number): void {
    const samples = this.#samples.get(process) ?? [];
    samples.push({ at, megabytes });
    this.#samples.set(process, samples);
  }

  growth(): Growth[] {
    return [...this.#samples].flatMap(([process, samples]) => {
      const between = (from: number, to: number): number[] =>
        samples.filter(({ at }) => at >= from && at < to).map(({ megabytes }) => megabytes);
      const [before, after] = [between(0.25, 0.5), between(0.875, Number.POSITIVE_INFINITY)];
      if (before.length === 0 || after.length === 0) return [];
      return [{ process, before: mean(before), after: mean(after) }];
    });
  }
}
