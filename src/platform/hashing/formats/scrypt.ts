import { type ScryptOptions, scrypt } from "node:crypto";
import { decodeInteger, decodeLooseBase64, decodeParameters } from "./encoding.ts";
import { equalBytes, type HashFormat, neverCurrent, type StoredHashProblem } from "./format.ts";

export interface ScryptCost {
  /** Binary logarithm of N. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 256 MiB: twice the strongest recommendation in use (N=2^17, r=8). */
const maxMemory = 256 * 1024 * 1024;
/** Memory times lanes, 1 GiB: about three seconds of one core. */
const maxWork = 1024 * 1024 * 1024;

/** scrypt (RFC 7914) as PHC string: `$scrypt$ln=17,r=8,p=1$<salt>$<key>`. */
export const scryptFormat: HashFormat = {
  algorithms: ["scrypt"],
  parse(hash) {
    const parts = hash.split("$");
    const [before, name, settings = "", saltText = "", keyText = ""] = parts;
    if (parts.length !== 5 || before !== "" || name !== "scrypt") return "invalid_hash";
    const parameters = decodeParameters(settings);
    const logN = decodeInteger(parameters?.get("ln"));
    const r = decodeInteger(parameters?.get("r"));
    const p = decodeInteger(parameters?.get("p"));
    const salt = decodeLooseBase64(saltText);
    const key = decodeLooseBase64(keyText);
    if (logN === undefined || r === undefined || p === undefined) return "invalid_hash";
    if (salt === undefined || key === undefined || key.length < 16 || key.length > 64) return "invalid_hash";
    const cost = { logN, r, p };
    const problem = boundScrypt(cost);
    if (problem !== undefined) return problem;
    return {
      verify: async (password) => equalBytes(await deriveScrypt(password, salt, cost, key.length), key),
      satisfies: neverCurrent,
    };
  },
};

/** Checks RFC 7914 §6's conditions and our cost limits. */
export function boundScrypt({ logN, r, p }: ScryptCost): StoredHashProblem | undefined {
  if (logN < 1 || r < 1 || p < 1) return "invalid_hash";
  // Bounded one by one first, so that the products below stay exact.
  if (logN > 30 || r > 1024 || p > 1024) return "hash_cost_too_high";
  const memory = 128 * 2 ** logN * r;
  return memory > maxMemory || memory * p > maxWork ? "hash_cost_too_high" : undefined;
}

export function deriveScrypt(
  password: Buffer,
  salt: Buffer,
  cost: ScryptCost,
  length: number,
): Promise<Buffer> {
  const options: ScryptOptions = {
    N: 2 ** cost.logN,
    r: cost.r,
    p: cost.p,
    // Node counts a little more than 128·N·r; its own limit must not be the one that decides.
    maxmem: 2 * maxMemory,
  };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
