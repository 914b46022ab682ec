/** `npm run licenses:native`: asks Cargo for the licences of the locked crates and keeps them beside the lock file. Needs cargo; run it when the lock file changed. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { licensesFile, lockedCrates } from "./crates.ts";

interface Metadata {
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly license: string | null;
  }[];
}

const { packages }: Metadata = JSON.parse(
  execFileSync(
    "cargo",
    ["metadata", "--locked", "--format-version", "1", "--manifest-path", "native/hashing/Cargo.toml"],
    { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  ),
);
const locked = lockedCrates();
const licenses = packages
  .map(({ name, version, license }) => [`${name}@${version}`, license] as const)
  .filter(([id]) => locked.get(id)?.checksum !== undefined)
  // Before there were expressions, a slash stood for a choice.
  .map(([id, license]) => [id, license?.replaceAll(/\s*\/\s*/g, " OR ") ?? "NOASSERTION"] as const)
  .sort(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(licensesFile, `${JSON.stringify(Object.fromEntries(licenses), null, 2)}\n`);
