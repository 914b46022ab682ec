import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

interface Package {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}
interface Manifest {
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

/** Licences under which everything that is shipped may be used without further duties than naming it. */
const permissive =
  /^\(?(MIT|MIT-0|ISC|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|0BSD|BlueOak-1\.0\.0|PostgreSQL|Unlicense|CC0-1\.0|Python-2\.0)( (AND|OR) .*)?\)?$/;

test.each(declared)("%s is pinned, and the page says why it is there", (name, version) => {
  expect(version).toMatch(/^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/);
  expect(read("docs/dependencies.md")).toContain(name.replace(/^@types\/.*/, "@types/*"));
});

test("the lock file names no registry, and a version for everything", () => {
  expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  expect(packages.filter(([, { version }]) => version === undefined).map(([path]) => path)).toEqual([]);
});

test("what is shipped has a permissive licence", () => {
  const others = packages
    .filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true)
    .filter(([, { license }]) => license === undefined || !permissive.test(license))
    .map(([path, { license }]) => `${path}: ${license}`);
  expect(others).toEqual([]);
});
