import type { CpuUse } from "./cpu.ts";
import type { PoolWaits } from "./pool-waits.ts";

/** A core counts as full from here on: the rest goes into switching and waking up. */
const full = 0.9;
/** Waits for a connection that many requests meet are a bottleneck. */
const oftenWaited = 0.25;

/** What a load met. */
export interface Limits {
  readonly cpu: CpuUse;
  readonly waits: PoolWaits;
  /** Requests answered. */
  readonly answers: number;
  /** The load came at a fixed rate below what the server can do. */
  readonly paced: boolean;
}

/** Names what limited a measurement, from what was measured of it. */
export function bottleneck({ cpu, waits, answers, paced }: Limits): string {
  const [kind = "nobody", cores = 0] = cpu.byKind[0] ?? [];
  const watched = cpu.byKind.reduce((sum, [, used]) => sum + used, 0);
  const others = cpu.busy - watched;
  const share = `${((100 * cores) / cpu.cores).toFixed(0)} %`;
  if (!paced && cpu.busy >= full * cpu.cores) {
    const noise =
      others > 0.1 * cpu.cores ? `; ${others.toFixed(1)} cores went to what is not of the bench` : "";
    return `all ${cpu.cores} cores, ${share} of them ${kind}${noise}`;
  }
  if (cpu.busiest[1] >= full) return `one core, filled by ${cpu.busiest[0]}`;
  if (answers > 0 && waits.count >= oftenWaited * answers) return "connections of the database pool";
  if (paced) return "nothing: a fixed rate below capacity";
  return `no core is full (${kind} has ${cores.toFixed(2)}): waiting for round trips and commits`;
}
