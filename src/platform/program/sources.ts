import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Where the sources are. */
const rooms = ["src", "workers"];
/** The packages, as they are locked. */
const lock = "package-lock.json";

/** The TypeScript files under a directory. A walk of our own, since Node's recursive listing takes longer than reading all of them. */
function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesUnder(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

/**
 * Digest of an installation's sources, hexadecimal. Of their content, since copying and packing change what the file system says about them.
 * Throws what the file system throws.
 */
export function sourcesDigest(installation: string): string {
  const files = rooms.flatMap((room) => filesUnder(join(installation, room)));
  const locked = join(installation, lock);
  if (existsSync(locked)) files.push(locked);
  const hash = createHash("sha256");
  for (const file of files.sort()) {
    hash
      .update(`${relative(installation, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}
