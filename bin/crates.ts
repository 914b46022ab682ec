/** What the lock file of the native kernel says; the licences, which it leaves out, are kept beside it by `npm run licenses:native`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const directory = join(import.meta.dirname, "../native/hashing");

/** A crate of the lock file. */
export interface Crate {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the package, hexadecimal; none for the kernel itself. */
  readonly checksum: string | undefined;
  readonly dependencies: readonly Crate[];
}

/** Where the licences are kept: `name@version` → SPDX expression. */
export const licensesFile = join(directory, "licenses.json");

function sections(lock: string): readonly string[] {
  return lock.split(/^\[\[package\]\]$/m).slice(1);
}

function field(section: string, name: string): string | undefined {
  return new RegExp(`^${name} = "([^"]*)"$`, "m").exec(section)?.[1];
}

/**
 * Every crate by `name@version`, with what it needs.
 * @throws Error when the lock file names something it does not hold
 */
export function lockedCrates(): ReadonlyMap<string, Crate> {
  const found = sections(readFileSync(join(directory, "crates.lock"), "utf8")).map((section) => {
    const dependencies: Crate[] = [];
    const needs = [...(/^dependencies = \[([^\]]*)\]/m.exec(section)?.[1] ?? "").matchAll(/"([^"]+)"/g)];
    const crate: Crate = {
      name: field(section, "name") ?? "",
      version: field(section, "version") ?? "",
      checksum: field(section, "checksum"),
      dependencies,
    };
    return { crate, dependencies, needs: needs.map(([, need = ""]) => need) };
  });
  for (const { dependencies, needs } of found) {
    for (const need of needs) {
      // The version is named where there are several of one name.
      const [name, version] = need.split(" ");
      const met = found.find(
        ({ crate }) => crate.name === name && (version === undefined || crate.version === version),
      );
      if (met === undefined) throw new Error(`crates.lock holds no ${need}`);
      dependencies.push(met.crate);
    }
  }
  return new Map(found.map(({ crate }) => [`${crate.name}@${crate.version}`, crate]));
}

/** What the kernel is built from: its direct dependencies, without those of its tests, and all they need in turn. */
export function shippedCrates(): { readonly direct: readonly Crate[]; readonly all: readonly Crate[] } {
  const manifest = readFileSync(join(directory, "Cargo.toml"), "utf8").replace(
    /\[dev-dependencies\][^[]*/,
    "",
  );
  const kernel = [...lockedCrates().values()].find(({ checksum }) => checksum === undefined);
  const direct = (kernel?.dependencies ?? []).filter(({ name }) =>
    new RegExp(`^${name} = `, "m").test(manifest),
  );
  const all = new Set(direct);
  for (const crate of all) for (const needed of crate.dependencies) all.add(needed);
  return { direct, all: [...all] };
}

/** Licence expressions by `name@version`. */
export function crateLicenses(): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(licensesFile, "utf8"));
}
