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
import { type Bundle, bundles, entries } from "./bundle.ts";

/** Loaded from their packages: native modules, what finds its files by its own place, and what is not installed with the program. */
export const external: readonly string[] = [
  "@node-rs/argon2",
  "@node-rs/bcrypt",
  "@opentelemetry/sdk-node",
  "argon2",
  "rolldown",
];

/** How many bundles stay: a server that runs may still start workers from the one before. */
const kept = 3;

/** Whether this user may keep a bundle in the installation. Changes nothing. */
export function mayKeepBundle(): boolean {
  try {
    accessSync(existsSync(bundles) ? bundles : installation, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Makes a bundle where this user may keep one, and tells why it cannot be made: the server then runs its sources, which start more slowly. */
export async function makeWherePossible(bundle: Bundle, tell: (reason: string) => void): Promise<boolean> {
  if (!mayKeepBundle()) return false;
  try {
    await makeBundle(bundle);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell(`starts from its sources, which takes longer: ${reason}`);
    return false;
  }
}

/**
 * Makes a bundle. Several processes may do so at once: the first one's stays.
 *
 * @throws what the file system and the bundler throw
 */
export async function makeBundle({ directory }: Bundle): Promise<void> {
  const { build } = await import("rolldown");
  mkdirSync(bundles, { recursive: true });
  const temporary = mkdtempSync(join(bundles, ".making-"));
  try {
    await build({
      cwd: installation,
      input: { ...entries },
      platform: "node",
      external: [...external],
      logLevel: "silent",
      output: {
        dir: temporary,
        format: "esm",
        entryFileNames: "[name].mjs",
        chunkFileNames: "[name].mjs",
        // Read only by who asks for it: NODE_OPTIONS=--enable-source-maps.
        sourcemap: true,
      },
    });
    try {
      renameSync(temporary, directory);
    } catch (error) {
      if (!taken(error)) throw error;
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  removeOldest();
}

function taken(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
}

function removeOldest(): void {
  const ages = readdirSync(bundles)
    .filter((name) => !name.startsWith("."))
    .map((name) => ({ path: join(bundles, name), made: statSync(join(bundles, name)).mtimeMs }))
    .sort((a, b) => b.made - a.made);
  for (const { path } of ages.slice(kept)) rmSync(path, { recursive: true, force: true });
}
