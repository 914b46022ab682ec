import { compiledCode } from "../../src/platform/compile-cache.ts";

/**
 * V8's default young generation (three halves of 16 MB a process) is for one large program on a machine. Requests here leave
 * little behind, and there are many processes: 2 MB halves cost no measurable throughput and save tens of megabytes each.
 */
export const workerFlags: readonly string[] = ["--max-semi-space-size=2"];

/**
 * What keeps a worker small and is read before its first line runs: the place of compiled code, without which Node loads its type stripper for the
 * entry file (10 MB), and two arenas of the C library instead of eight a core, each of which keeps what it once had.
 */
export const workerEnvironment: Readonly<Record<string, string>> = {
  NODE_COMPILE_CACHE: compiledCode,
  MALLOC_ARENA_MAX: "2",
};
