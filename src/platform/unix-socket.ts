import { renameSync, statSync, unlinkSync } from "node:fs";

export interface SocketFile {
  /** Removes the file, unless another server has taken the path over since. */
  remove(): void;
}

function identity(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`;
}

/**
 * Binds a Unix socket at `path`, replacing whatever is there: the file a dead server left, or the socket of a server about to drain, whose
 * established connections go on. `bind` listens on the temporary path it gets; moving that into place is atomic, so no client ever finds
 * the path missing. Rejects with what `bind` and the file system throw; a path over 107 bytes cannot be bound on Linux.
 */
export async function takeSocketPath(
  path: string,
  bind: (temporary: string) => Promise<void>,
): Promise<SocketFile> {
  const temporary = `${path}.${process.pid}`;
  try {
    unlinkSync(temporary);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await bind(temporary);
  renameSync(temporary, path);
  const own = identity(path);
  return {
    remove() {
      if (own === undefined || identity(path) !== own) return;
      try {
        unlinkSync(path);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
