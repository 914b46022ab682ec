import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";

/** Where compiled code is kept. */
export const compiledCode = join(import.meta.dirname, "../../node_modules/.cache/authkit-server/compiled");

/**
 * Keeps compiled code on disk, so that later processes neither strip types nor compile again: it halves a worker's start and spares each
 * worker the memory of the compiler. Call it before anything else is imported. Where the directory cannot be written, nothing changes.
 */
export function keepCompiledCode(): void {
  enableCompileCache(compiledCode);
}

/** Writes what this process compiled, for those that start next. */
export function storeCompiledCode(): void {
  setImmediate(flushCompileCache);
}
