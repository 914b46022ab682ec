import { cp, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { project } from "./cluster.ts";

/** The program in a directory of its own, with other migrations: the release before, or the one after. */
export interface TestRelease {
  readonly directory: string;
  remove(): Promise<void>;
}

export interface ReleaseOptions {
  /** How many of the newest migrations it does not know yet. */
  readonly without?: number;
  /** Texts of migrations that only it has, in order. */
  readonly further?: readonly string[];
}

export async function makeRelease(options: ReleaseOptions): Promise<TestRelease> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-release-"));
  for (const part of ["src", "workers", "migrations", "package.json"])
    await cp(join(project, part), join(directory, part), { recursive: true });
  await symlink(join(project, "node_modules"), join(directory, "node_modules"));
  const migrations = join(directory, "migrations");
  const files = (await readdir(migrations)).filter((name) => name.endsWith(".sql")).sort();
  const kept = files.slice(0, files.length - (options.without ?? 0));
  for (const name of files.slice(kept.length)) await rm(join(migrations, name));
  for (const [index, text] of (options.further ?? []).entries()) {
    const version = String(kept.length + index + 1).padStart(4, "0");
    await writeFile(join(migrations, `${version}_further.sql`), text);
  }
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}
