import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the sources are. */
const rooms = ["src", "workers"];
/** The packages, as they are locked. */
const lock = "package-lock.json";

/**
 * Digest of an installation's sources, hexadecimal. Of their content, since copying and packing change what the file system says about them.
 * Throws what the file system throws.
 */
export function sourcesDigest(installation: string): string {
  const files = rooms.flatMap((room) =>
    readdirSync(join(installation, room), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join(room, file)),
  );
  if (existsSync(join(installation, lock))) files.push(lock);
  const hash = createHash("sha256");
  for (const file of files.sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(installation, file)))
      .update("\0");
  }
  return hash.digest("hex");
}
