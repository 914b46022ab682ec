import { execFile } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { installation } from "../installation.ts";
import { type Bundle, bundles } from "./bundle.ts";

const bundler = join(installation, "src/platform/program/bundler.ts");

/** Begins the names of directories that are being filled. */
const making = ".making-";
/** How many bundles stay: a server that runs may still start workers from the one before. */
const kept = 3;
/** A directory that is being filled for longer has been given up. */
const givenUpMs = 3_600_000;

/** Whether this user may keep a bundle in the installation. Changes nothing. */
export function mayKeepBundle(): boolean {
  try {
    accessSync(existsSync(bundles) ? bundles : installation, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes a bundle where this user may keep one; false where he may not, or where it cannot be made, and then tells why: the server then runs its
 * sources, which start more slowly. Several processes may do so at once: the first one's stays.
 */
export async function makeWherePossible(
  { directory }: Bundle,
  tell: (reason: string) => void,
): Promise<boolean> {
  if (!mayKeepBundle()) return false;
  try {
    mkdirSync(bundles, { recursive: true });
    const temporary = mkdtempSync(join(bundles, making));
    try {
      await fill(temporary);
      putInPlace(temporary, directory);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    removeOldest();
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell(`starts from its sources, which takes longer: ${reason}`);
    return false;
  }
}

function fill(directory: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [bundler, directory], (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(stderr.trim() || error.message));
    });
  });
}

function putInPlace(temporary: string, directory: string): void {
  try {
    renameSync(temporary, directory);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

function removeOldest(): void {
  const ages = readdirSync(bundles)
    // Another process may just have removed it.
    .map((name) => ({ name, made: statSync(join(bundles, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.made - a.made);
  const isFilled = ({ name }: { readonly name: string }): boolean => !name.startsWith(making);
  const old = ages.filter(isFilled).slice(kept);
  const givenUp = ages.filter((one) => !isFilled(one) && Date.now() - one.made > givenUpMs);
  for (const { name } of [...old, ...givenUp]) rmSync(join(bundles, name), { recursive: true, force: true });
}
