import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import { installation } from "../../platform/installation.ts";
import { type BloomFilter, passwordDigest, readBloomFilter } from "./bloom.ts";
import type { BreachedPasswords } from "./types.ts";

export { estimateStrength, type Strength, type StrengthHint } from "./strength.ts";
export type { BreachedPasswords, BreachKind } from "./types.ts";

/** The 49,000 commonest passwords (from @zxcvbn-ts/language-common, MIT); see `data/README.md`. */
const shippedFilter = join(installation, "src/core/breached-passwords/data/common-passwords.bloom");

/**
 * Reads the lists the configuration asks for, once, at start. Undefined when the check is off.
 *
 * @throws Error when a file is missing or damaged: a server must not start without the check it was told to make.
 */
export async function loadBreachedPasswords(
  config: Pick<Config["passwords"], "breachedCheck" | "breachedFilterPath">,
): Promise<BreachedPasswords | undefined> {
  if (!config.breachedCheck) return undefined;
  const path = config.breachedFilterPath;
  const [common, breached] = await Promise.all([
    load(shippedFilter),
    path === undefined ? undefined : load(path),
  ]);
  return createBreachedPasswords(common, breached);
}

export function createBreachedPasswords(
  common: BloomFilter | undefined,
  breached: BloomFilter | undefined,
): BreachedPasswords {
  return {
    find(password) {
      // Lists hold most words in lower case; PASSWORD1 is no better than password1.
      const digests = [...new Set([password, password.toLowerCase()])].map(passwordDigest);
      if (digests.some((digest) => common?.has(digest))) return "common";
      return digests.some((digest) => breached?.has(digest)) ? "breached" : undefined;
    },
  };
}

async function load(path: string | URL): Promise<BloomFilter> {
  try {
    return readBloomFilter(await readFile(path));
  } catch (cause) {
    throw new Error(`cannot read the breached-password filter ${String(path)}`, { cause });
  }
}
