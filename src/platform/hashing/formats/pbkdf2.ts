import { pbkdf2 } from "node:crypto";
import { decodeInteger, decodeLooseBase64, decodeParameters } from "./encoding.ts";
import { equalBytes, type HashFormat, neverCurrent } from "./format.ts";

type Digest = "sha1" | "sha256" | "sha512";

const digestLengths: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha512: 64 };

/**
 * Iterations times output blocks. Current recommendations end at 1.4 million (SHA-1) and frameworks add some each year;
 * four million are about two seconds of one core.
 */
const maxIterations = 4_000_000;

interface Pbkdf2Hash {
  readonly digest: Digest;
  readonly iterations: number | undefined;
  readonly salt: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/**
 * PBKDF2 (RFC 8018) with HMAC-SHA-1, -256 or -512 in the spellings in use: PHC `$pbkdf2-sha256$i=310000,l=32$<salt>$<key>`,
 * passlib `$pbkdf2-sha256$29000$<salt>$<key>` (SHA-1: `$pbkdf2$…`) and Django `pbkdf2_sha256$870000$<salt text>$<key>`.
 */
export const pbkdf2Format: HashFormat = {
  algorithms: ["pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512"],
  parse(hash, algorithm) {
    const found = hash.startsWith("$") ? fromDollar(hash) : fromDjango(hash);
    if (found === undefined) return "invalid_hash";
    const { digest, iterations, salt, key } = found;
    if (algorithm !== "pbkdf2" && algorithm !== `pbkdf2-${digest}`) return "invalid_hash";
    if (iterations === undefined || iterations < 1 || salt === undefined || key === undefined)
      return "invalid_hash";
    if (key.length < 16 || key.length > 64) return "invalid_hash";
    if (iterations * Math.ceil(key.length / digestLengths[digest]) > maxIterations)
      return "hash_cost_too_high";
    return {
      verify: async (password) =>
        equalBytes(await derive(password, salt, iterations, key.length, digest), key),
      satisfies: neverCurrent,
    };
  },
};

function fromDollar(hash: string): Pbkdf2Hash | undefined {
  const parts = hash.split("$");
  const [, name = "", settings = "", saltText = "", keyText = ""] = parts;
  const digest = name === "pbkdf2" ? "sha1" : digestOf(name, "pbkdf2-");
  if (parts.length !== 5 || digest === undefined) return undefined;
  const key = decodeLooseBase64(keyText);
  const parameters = settings.includes("=") ? decodeParameters(settings) : undefined;
  const length = decodeInteger(parameters?.get("l"));
  if (length !== undefined && length !== key?.length) return undefined;
  const iterations = decodeInteger(parameters === undefined ? settings : parameters.get("i"));
  return { digest, iterations, salt: decodeLooseBase64(saltText), key };
}

/** Django salts with the characters themselves, not with what they would decode to. */
function fromDjango(hash: string): Pbkdf2Hash | undefined {
  const parts = hash.split("$");
  const [name = "", iterations, salt = "", key = ""] = parts;
  const digest = digestOf(name, "pbkdf2_");
  if (parts.length !== 4 || digest === undefined || salt === "") return undefined;
  return {
    digest,
    iterations: decodeInteger(iterations),
    salt: Buffer.from(salt),
    key: decodeLooseBase64(key),
  };
}

function digestOf(name: string, prefix: string): Digest | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const digest = name.slice(prefix.length);
  return digest === "sha1" || digest === "sha256" || digest === "sha512" ? digest : undefined;
}

function derive(
  password: Buffer,
  salt: Buffer,
  iterations: number,
  length: number,
  digest: Digest,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, length, digest, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
