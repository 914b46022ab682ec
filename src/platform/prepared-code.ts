import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { installation } from "./installation.ts";

/**
 * What an installation keeps beside its packages: compiled code and the native module made loadable. `authkit-server prepare` fills it; a server
 * that may write there does so by itself.
 */
export const preparedCode = join(installation, "node_modules/.cache/authkit-server");

/** Lets every user read what was prepared, whatever the umask was. Throws what the file system throws. */
export function openPreparedCode(): void {
  chmodSync(dirname(preparedCode), 0o755);
  openToReaders(preparedCode);
}

/**
 * Lets every user read a file, or a directory with all that is in it. What vanishes meanwhile was another process's on its way to its place.
 * Throws what the file system throws.
 */
export function openToReaders(path: string): void {
  try {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) return;
    chmodSync(path, stats.isDirectory() ? 0o755 : 0o644);
    if (stats.isDirectory()) for (const name of readdirSync(path)) openToReaders(join(path, name));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
