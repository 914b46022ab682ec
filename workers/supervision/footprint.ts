import { compiledCode } from "../../src/platform/compile-cache.ts";
import type { WorkerKind } from "./messages.ts";

/**
 * Megabytes of each half of the young generation. V8's default of 16 is for one large program on a machine. What requests leave behind here is
 * little, and there are many http workers, so small halves cost them nothing; the one management worker has results of back ends in flight,
 * and would spend a sixth of its time on collecting 2 MB again and again.
 */
const youngHalf: Readonly<Record<WorkerKind, number>> = { http: 2, management: 8, hashing: 2, jobs: 2 };

/**
 * Megabytes of each half to begin with. Next to nothing that is made during the start is garbage: from the 1 MB that V8 begins with, a start
 * is a dozen collections for nothing.
 */
const youngHalfAtStart = 2;

/** V8's flags of a kind of worker. */
export function workerFlags(kind: WorkerKind): readonly string[] {
  return [`--min-semi-space-size=${youngHalfAtStart}`, `--max-semi-space-size=${youngHalf[kind]}`];
}

/**
 * What keeps a worker small and is read before its first line runs: the place of compiled code, without which Node loads its type stripper for the
 * entry file (10 MB), and two arenas of the C library instead of eight a core, each of which keeps what it once had.
 */
export const workerEnvironment: Readonly<Record<string, string>> = {
  NODE_COMPILE_CACHE: compiledCode,
  MALLOC_ARENA_MAX: "2",
};
