import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Gives back what only the start of a process needed: source texts, unfinished pages of the heap. V8 does so by itself when a process idles
 * for minutes; a server that goes to work at once would keep it for good. Takes some tens of milliseconds, so call it before anything is served.
 */
export function returnStartMemory(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof collect === "function") collect({ type: "major", flavor: "last-resort" });
}
