import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { expect, test } from "vitest";
import { crateLicenses, lockedCrates } from "../../../bin/crates.ts";

const root = join(import.meta.dirname, "../../..");
const Document = Type.Object({
  bomFormat: Type.Literal("CycloneDX"),
  specVersion: Type.Literal("1.6"),
  components: Type.Array(
    Type.Object({
      "bom-ref": Type.String(),
      purl: Type.String({ pattern: "^pkg:(npm|cargo)/[^@]+@\\d+\\.\\d+\\.\\d+" }),
      hashes: Type.Optional(
        Type.Array(
          Type.Object({ alg: Type.String(), content: Type.String({ pattern: "^[0-9a-f]{64,128}$" }) }),
        ),
      ),
      licenses: Type.Optional(Type.Array(Type.Object({}))),
    }),
  ),
  dependencies: Type.Array(Type.Object({ ref: Type.String(), dependsOn: Type.Array(Type.String()) })),
});

const write = (): string => execFileSync(process.execPath, ["bin/sbom.ts"], { cwd: root, encoding: "utf8" });
const text = write();
const document = Value.Parse(Document, JSON.parse(text));
const lock: { packages: Record<string, { dev?: boolean; version: string; name?: string }> } = JSON.parse(
  readFileSync(join(root, "package-lock.json"), "utf8"),
);

test("the bill of materials has every package of the lock file that is shipped, hashed and licensed", () => {
  const shipped = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== "" && dev !== true)
    .map(([path, { name, version }]) => `${name ?? path.replace(/^.*node_modules\//, "")}@${version}`);
  const npm = document.components.filter(({ purl }) => purl.startsWith("pkg:npm/"));
  const named = npm.map(({ purl }) => decodeURIComponent(purl.slice("pkg:npm/".length)));
  expect(new Set(named)).toEqual(new Set(shipped));
});

test("every component is hashed and licensed", () => {
  for (const { purl, hashes, licenses } of document.components) {
    expect(hashes?.length, purl).toBe(1);
    expect(licenses?.length, purl).toBe(1);
  }
  expect(text).not.toContain("NOASSERTION");
});

test("it has the crates of the native kernel, those they need in turn included, and not those of its tests", () => {
  const crates = document.components.flatMap(({ purl }) => /^pkg:cargo\/(.*)@/.exec(purl)?.[1] ?? []);
  for (const name of ["blake2", "digest", "typenum", "napi", "napi-sys", "napi-derive", "syn", "napi-build"])
    expect(crates).toContain(name);
  for (const name of ["argon2", "password-hash", "authkit-hashing"]) expect(crates).not.toContain(name);
  const blake2 = document.dependencies.find(({ ref }) => ref.startsWith("pkg:cargo/blake2@"));
  expect(blake2?.dependsOn).toEqual([expect.stringMatching(/^pkg:cargo\/digest@/)]);
});

test("every locked crate has a checksum and a licence on record, and is built as it is locked", () => {
  const locked = [...lockedCrates()].filter(([id]) => !id.startsWith("authkit-hashing@"));
  expect(locked.length).toBeGreaterThan(30);
  for (const [id, { checksum }] of locked) expect(checksum, id).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.keys(crateLicenses())).toEqual(locked.map(([id]) => id).sort());
  expect(readFileSync(join(root, "native/hashing/build"), "utf8")).toMatch(/^cargo build .*--locked/m);
});

test("every component is needed by another, and every need is met", () => {
  const components = document.components.map((one) => one["bom-ref"]).sort();
  const needed = new Set(document.dependencies.flatMap(({ dependsOn }) => dependsOn));
  expect([...needed].sort()).toEqual(components);
});

test("the same tree gives the same document, which names no registry", () => {
  expect(write()).toBe(text);
  expect(text).not.toMatch(/https?:/);
});
