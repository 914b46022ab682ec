import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crateLicenses, shippedCrates } from "../../../bin/crates.ts";
import { parseLicense, permits } from "../../support/spdx.ts";

/** Licences under which everything that is shipped may be used without further duties than naming it. */
const permissive: ReadonlySet<string> = new Set([
  ...["MIT", "MIT-0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD", "BlueOak-1.0.0"],
  ...["PostgreSQL", "Unlicense", "CC0-1.0", "Python-2.0", "Unicode-3.0", "Zlib"],
]);

function allowed(license: string): boolean {
  return permits(parseLicense(license), permissive);
}

interface Package {
  readonly license?: string;
  readonly dev?: boolean;
}
const lock: { readonly packages: Readonly<Record<string, Package>> } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../package-lock.json"), "utf8"),
);

describe("a licence expression", () => {
  test.each([
    ["MIT", true],
    ["GPL-3.0-only", false],
    ["MIT OR GPL-3.0-only", true],
    ["GPL-3.0-only OR MIT", true],
    ["MIT AND GPL-3.0-only", false],
    ["(MIT AND GPL-3.0-only)", false],
    ["MIT OR Apache-2.0 AND GPL-3.0-only", true],
    ["(MIT OR Apache-2.0) AND GPL-3.0-only", false],
    ["(MIT OR Apache-2.0) AND Unicode-3.0", true],
    ["((MIT))", true],
    ["Apache-2.0 WITH LLVM-exception", false],
    ["Apache-2.0 WITH LLVM-exception OR MIT", true],
    ["MIT-or-anything", false],
  ])("%s is permissive: %s", (license, expected) => {
    expect(allowed(license)).toBe(expected);
  });

  test.each([
    "",
    "MIT OR",
    "AND MIT",
    "(MIT",
    "MIT)",
    "MIT Apache-2.0",
    "MIT/Apache-2.0",
    "SEE LICENSE IN x",
    "MIT WITH",
  ])("%j is none", (license) => {
    expect(() => parseLicense(license)).toThrow("is no SPDX licence expression");
  });
});

test("every package that is shipped has a permissive licence", () => {
  const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  expect(shipped.length).toBeGreaterThan(100);
  const others = shipped
    .filter(([, { license }]) => license === undefined || !allowed(license))
    .map(([path, { license }]) => `${path}: ${license}`);
  expect(others).toEqual([]);
});

test("every crate the native kernel is built from has a permissive licence", () => {
  const licenses = crateLicenses();
  const found = shippedCrates().all.map(({ name, version }) => `${name}@${version}`);
  expect(found.length).toBeGreaterThan(20);
  expect(found.filter((id) => !allowed(licenses[id] ?? "NOASSERTION"))).toEqual([]);
});
