import { readFile, stat } from "node:fs/promises";
import type { Log } from "../../platform/log/port.ts";
import { SigningKeyError } from "./errors.ts";

/** What tells one version of a file from the next, also when its clock stands still or it is swapped through a symbolic link. */
export interface FileVersion {
  readonly modified: bigint;
  readonly size: bigint;
  readonly inode: bigint;
}

export interface SecretFile {
  readonly version: FileVersion;
  readonly content: Buffer;
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/** Version and permission bits of a file; undefined when it does not exist. */
async function inspect(path: string): Promise<{ version: FileVersion; mode: number } | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    return {
      version: { modified: found.mtimeNs, size: found.size, inode: found.ino },
      mode: Number(found.mode),
    };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw new SigningKeyError(`${path} cannot be read`, error);
  }
}

/** Current version of a file; undefined when it does not exist. */
export async function fileVersion(path: string): Promise<FileVersion | undefined> {
  return (await inspect(path))?.version;
}

export function sameVersion(a: FileVersion | undefined, b: FileVersion | undefined): boolean {
  return a?.modified === b?.modified && a?.size === b?.size && a?.inode === b?.inode;
}

/**
 * Reads a file that holds a secret; undefined when it does not exist.
 * @throws SigningKeyError when others may write it, or it exists and cannot be read; when others may read it, a warning is logged
 */
export async function readSecretFile(path: string, log: Log): Promise<SecretFile | undefined> {
  const found = await inspect(path);
  if (found === undefined) return undefined;
  if ((found.mode & 0o022) !== 0) {
    throw new SigningKeyError(`${path} is writable by its group or by everyone; run chmod go-w on it`);
  }
  if ((found.mode & 0o044) !== 0) {
    log.warn(
      { path, mode: (found.mode & 0o777).toString(8) },
      "secret file is readable by its group or by everyone",
    );
  }
  try {
    return { version: found.version, content: await readFile(path) };
  } catch (error) {
    throw new SigningKeyError(`${path} cannot be read`, error);
  }
}
