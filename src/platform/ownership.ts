import type { Stats } from "node:fs";

/** Permission bits by which somebody other than the owner may write. */
const writableByOthers = 0o022;

/**
 * Whether nobody but root and the user of this process may have written what `stats` describes: code found in a directory of caches is run
 * only then. Always true where files have no owners (Windows).
 */
export function isOurs(stats: Pick<Stats, "uid" | "mode">): boolean {
  const self = process.geteuid?.();
  if (self === undefined) return true;
  return (stats.uid === 0 || stats.uid === self) && (stats.mode & writableByOthers) === 0;
}
