import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
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

/** The file when it is exactly `image`, and nobody else may write it; undefined when there is none or it is another. */
function openIntact(file: string, image: Buffer): OpenCopy | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const stats = fstatSync(descriptor);
  if (stats.isFile() && isOurs(stats) && readFileSync(descriptor).equals(image))
    return { file, path: `/proc/self/fd/${descriptor}`, close: () => closeSync(descriptor) };
  closeSync(descriptor);
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
 * written by somebody else; undefined when `source` needs no change. Copies are named by content. Throws what `relinkToOlderGlibc` and the file
 * system throw.
 */
export function openRelinked(source: string, directory: string): OpenCopy | undefined {
  const original = readFileSync(source);
  const image = relinkToOlderGlibc(original);
  if (image === undefined) return undefined;
  const key = createHash("sha256").update("relink-1").update(original).digest("hex").slice(0, 32);
  const file = join(directory, `${key}-${basename(source)}`);
  const known = openIntact(file, image);
  if (known !== undefined) return known;
  write(file, directory, image);
  const made = openIntact(file, image);
  if (made === undefined) throw new Error(`${file} is not what was written`);
  return made;
}
