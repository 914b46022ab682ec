import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { enableCompileCache, flushCompileCache, getCompileCacheDir } from "node:module";
import { join, resolve } from "node:path";
import { cachedDataVersionTag } from "node:v8";
import { isOurs } from "./ownership.ts";
import { preparedCode } from "./prepared-code.ts";

const prepared = join(preparedCode, "compiled");

/**
 * Name that Node gives the entries of one release, processor and user inside a directory of compiled code (`GetCacheVersionTag` of its
 * sources); without the user, up to the last hyphen, it is the same for all who can share them.
 */
export function entriesName(uid: number = process.getuid?.() ?? 0): string {
  return `${process.version}-${process.arch}-${cachedDataVersionTag().toString(16).padStart(8, "0")}-${uid}`;
}

function found(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // A directory above it is closed to this user.
    return false;
  }
}

function mayWrite(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Entries that another user, whom we trust, prepared for this release and processor. */
function preparedByOthers(directory: string, name: string): string | undefined {
  const common = name.slice(0, name.lastIndexOf("-") + 1);
  try {
    const entries = readdirSync(directory).find((one) => one.startsWith(common));
    const path = entries === undefined ? undefined : join(directory, entries);
    return path !== undefined && lstatSync(path).isDirectory() && isOurs(lstatSync(path)) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where this user keeps compiled code: the installation, when it may write there or has its own there; else the state directory, where a link
 * leads to what the installation's owner prepared. Node would not look at another user's entries, and finds them by the link.
 */
export function compiledCodeDirectory(
  installation: string,
  stateDirectory: string | undefined,
  name: string = entriesName(),
): string {
  if (found(join(installation, name)) || mayWrite(installation)) return installation;
  if (stateDirectory === undefined) return installation;
  const own = join(resolve(stateDirectory), "compiled");
  try {
    mkdirSync(own, { recursive: true, mode: 0o700 });
    if (!isOurs(lstatSync(own))) return installation;
    const place = join(own, name);
    const target = preparedByOthers(installation, name);
    const link = lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    if (link && readlinkSync(place) !== target) rmSync(place, { force: true });
    if (target !== undefined && !found(place)) {
      // Several processes may start at once: the last one's link is as good as the first one's.
      const temporary = `${place}.${process.pid}`;
      symlinkSync(target, temporary);
      renameSync(temporary, place);
    }
    return own;
  } catch {
    return installation;
  }
}

/** Named by whoever started the process: the primary that forks a worker, `bin/authkit-server`, or an operator. */
const named = process.env["NODE_COMPILE_CACHE"] || undefined;

/** Where compiled code is kept. The installation's own place, which `bin/authkit-server` names, still has to have something for this release. */
export const compiledCode =
  named === undefined || named === prepared
    ? compiledCodeDirectory(prepared, process.env["AUTHKIT_STATE_DIR"] || undefined)
    : named;

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

/** Writes it at once into the installation; false when this process keeps it elsewhere, as one that may not write there does. */
export function storePreparedCode(): boolean {
  if (getCompileCacheDir()?.startsWith(prepared) !== true || !mayWrite(prepared)) return false;
  flushCompileCache();
  return true;
}
