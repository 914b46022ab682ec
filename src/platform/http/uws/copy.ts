import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { isOurs } from "../../ownership.ts";
import { preparedCode } from "../../prepared-code.ts";
import { relinkToOlderGlibc } from "./relink.ts";

/**
 * Directories for relinked copies, best first: the installation's, which `authkit-server prepare` fills for everybody; the state directory; one of
 * this user under the system's temporary directory.
 */
export function copyPlaces(stateDirectory?: string): readonly string[] {
  const places = [join(preparedCode, "uws")];
  if (stateDirectory !== undefined) places.push(join(resolve(stateDirectory), "uws"));
  places.push(join(tmpdir(), `authkit-server-${process.geteuid?.() ?? 0}`, "uws"));
  return places;
}

/** A copy that was looked at and is held open, so that what is loaded is what was looked at. */
export interface OpenCopy {
  readonly file: string;
  /** Names the open file itself, whatever becomes of its name. */
  readonly path: string;
  close(): void;
}

/** SHA-256 of an open file from its beginning, hexadecimal. Read in pieces: seven megabytes at once would be new memory in every worker. */
function digestOf(descriptor: number): string {
  const piece = Buffer.allocUnsafe(256 * 1024);
  const hash = createHash("sha256");
  for (let at = 0; ; ) {
    const length = readSync(descriptor, piece, 0, piece.length, at);
    if (length === 0) return hash.digest("hex");
    hash.update(piece.subarray(0, length));
    at += length;
  }
}

/** Begins the names of the copies of a shared object as it is now. */
function copiesOf(source: string): string {
  const descriptor = openSync(source, constants.O_RDONLY);
  try {
    return `${digestOf(descriptor).slice(0, 32)}-`;
  } finally {
    closeSync(descriptor);
  }
}

/** The file when its content is what its name says, and nobody else may write it; undefined when there is none or it is another. */
function openIntact(file: string): OpenCopy | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const stats = fstatSync(descriptor);
  if (stats.isFile() && isOurs(stats) && basename(file).includes(`-${digestOf(descriptor)}-`))
    return { file, path: `/proc/self/fd/${descriptor}`, close: () => closeSync(descriptor) };
  closeSync(descriptor);
  return undefined;
}

/** An intact copy among those whose names begin so, in a directory that nobody else may write. */
function findIntact(directory: string, copies: string): OpenCopy | undefined {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true || !isOurs(stats)) return undefined;
  for (const name of readdirSync(directory)) {
    const found = name.startsWith(copies) ? openIntact(join(directory, name)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Puts the image in place by an atomic rename: several processes may start at once. */
function write(file: string, directory: string, image: Buffer): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  if (!isOurs(lstatSync(directory))) throw new Error("somebody else may write there");
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { force: true });
    writeFileSync(temporary, image, { flag: "wx", mode: 0o644 });
    // Other users of the same installation read it too, whatever this one's umask.
    chmodSync(temporary, 0o644);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * A copy of the shared object `source` that an older glibc loads, from `directory`, or made there when it is missing, damaged or may have been
 * written by somebody else; undefined when `source` needs no change. Copies are named by the content of both, so that a worker that starts finds
 * out with a few milliseconds of reading that both are as they were. Throws what `relinkToOlderGlibc` and the file system throw.
 */
export function openRelinked(source: string, directory: string): OpenCopy | undefined {
  const copies = copiesOf(source);
  const known = findIntact(directory, copies);
  if (known !== undefined) return known;
  const image = relinkToOlderGlibc(readFileSync(source));
  if (image === undefined) return undefined;
  const digest = createHash("sha256").update(image).digest("hex");
  const file = join(directory, `${copies}${digest}-${basename(source)}`);
  write(file, directory, image);
  const made = openIntact(file);
  if (made === undefined) throw new Error(`${file} is not what was written`);
  return made;
}
