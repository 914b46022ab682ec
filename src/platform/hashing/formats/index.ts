import type { StoredHash } from "../port.ts";
import { argon2Format } from "./argon2.ts";
import { bcryptFormat } from "./bcrypt.ts";
import { maxHashLength } from "./encoding.ts";
import { firebaseScryptFormat } from "./firebase-scrypt.ts";
import type { HashFormat, ParsedHash, StoredHashProblem } from "./format.ts";
import { pbkdf2Format } from "./pbkdf2.ts";
import { resetRequired, resetRequiredFormat } from "./reset-required.ts";
import { saltedDigestFormat } from "./salted-digest.ts";
import { scryptFormat } from "./scrypt.ts";
import { shaCryptFormat } from "./sha-crypt.ts";

export type { ParsedHash, StoredHashProblem } from "./format.ts";
export { resetRequired } from "./reset-required.ts";

const formats: readonly HashFormat[] = [
  argon2Format,
  bcryptFormat,
  scryptFormat,
  firebaseScryptFormat,
  pbkdf2Format,
  shaCryptFormat,
  saltedDigestFormat,
  resetRequiredFormat,
];

const byAlgorithm: ReadonlyMap<string, HashFormat> = new Map(
  formats.flatMap((format) => format.algorithms.map((name) => [name, format] as const)),
);

/** Every value of `hash_algo` that can verify (and `legacy-reset-required`); the empty one means bcrypt. */
export const knownAlgorithms: readonly string[] = [...byAlgorithm.keys()];

/** Parses a stored hash and checks its cost. Never throws. */
export function parseStored(stored: StoredHash): ParsedHash | StoredHashProblem {
  const format = byAlgorithm.get(stored.algorithm);
  if (format === undefined) return "unsupported_hash_algo";
  if (stored.algorithm !== resetRequired && stored.hash.length > maxHashLength) return "invalid_hash";
  return format.parse(stored.hash, stored.algorithm, stored.params);
}

/** For imports: whether a hash would ever verify here, and if not, why. */
export function validateStored(hash: string, algorithm: string, params: unknown): "ok" | StoredHashProblem {
  const parsed = parseStored({ hash, algorithm, params });
  return typeof parsed === "string" ? parsed : "ok";
}
