import { createCipheriv } from "node:crypto";
import { decodeInteger, decodeLooseBase64, decodeParameters, isRecord } from "./encoding.ts";
import {
  equalBytes,
  type HashFormat,
  neverCurrent,
  type ParsedHash,
  type StoredHashProblem,
} from "./format.ts";
import { boundScrypt, deriveScrypt } from "./scrypt.ts";

interface FirebaseHash {
  readonly signerKey: string;
  readonly saltSeparator: string;
  readonly rounds: number | undefined;
  readonly memCost: number | undefined;
  readonly salt: string;
  readonly hash: string;
}

/**
 * The scrypt variant of Firebase Authentication: scrypt over salt ‖ separator yields an AES-256-CTR key under which the project's signer
 * key is encrypted; that ciphertext is the stored hash.
 *
 * Either `password_hash` is the exported hash and `hash_params` holds
 * `{"signerKey","saltSeparator","rounds","memCost","salt"}`, or everything is in one string
 * `$fbscrypt$v=1,n=<memCost>,r=<rounds>,p=1,ss=<separator>,sk=<signer key>$<salt>$<hash>`.
 */
export const firebaseScryptFormat: HashFormat = {
  algorithms: ["firebase-scrypt"],
  parse(hash, _algorithm, params) {
    if (hash.startsWith("$fbscrypt$")) {
      const found = fromString(hash);
      return found === undefined ? "invalid_hash" : build(found, "invalid_hash");
    }
    if (!isRecord(params)) return "invalid_hash_params";
    return build(
      {
        signerKey: text(params["signerKey"]),
        saltSeparator: text(params["saltSeparator"]),
        rounds: integer(params["rounds"]),
        memCost: integer(params["memCost"]),
        salt: text(params["salt"]),
        hash,
      },
      "invalid_hash_params",
    );
  },
};

function fromString(hash: string): FirebaseHash | undefined {
  const parts = hash.split("$");
  const [, , settings = "", salt = "", key = ""] = parts;
  const parameters = decodeParameters(settings);
  if (parts.length !== 5 || parameters?.get("v") !== "1" || parameters.get("p") !== "1") return undefined;
  return {
    signerKey: parameters.get("sk") ?? "",
    saltSeparator: parameters.get("ss") ?? "",
    rounds: decodeInteger(parameters.get("r")),
    memCost: decodeInteger(parameters.get("n")),
    salt,
    hash: key,
  };
}

function build(found: FirebaseHash, problem: StoredHashProblem): ParsedHash | StoredHashProblem {
  const signerKey = decodeLooseBase64(found.signerKey);
  // A project may have no separator.
  const separator = found.saltSeparator === "" ? Buffer.alloc(0) : decodeLooseBase64(found.saltSeparator);
  const salt = decodeLooseBase64(found.salt);
  const { rounds, memCost } = found;
  if (signerKey === undefined || separator === undefined || salt === undefined) return problem;
  if (rounds === undefined || memCost === undefined) return problem;
  const expected = decodeLooseBase64(found.hash);
  if (expected === undefined || expected.length !== signerKey.length || expected.length < 16)
    return "invalid_hash";
  const cost = { logN: memCost, r: rounds, p: 1 };
  const costProblem = boundScrypt(cost);
  if (costProblem !== undefined) return costProblem === "invalid_hash" ? problem : costProblem;
  const fullSalt = Buffer.concat([salt, separator]);
  return {
    async verify(password) {
      const key = await deriveScrypt(password, fullSalt, cost, 32);
      const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
      return equalBytes(Buffer.concat([cipher.update(signerKey), cipher.final()]), expected);
    },
    satisfies: neverCurrent,
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function integer(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}
