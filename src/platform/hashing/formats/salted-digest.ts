import { createHash } from "node:crypto";
import { decodeHex, decodeLooseBase64, isRecord } from "./encoding.ts";
import { equalBytes, type HashFormat, neverCurrent } from "./format.ts";

const digestLengths: Readonly<Record<string, number>> = { md5: 16, sha1: 20, sha256: 32, sha512: 64 };

/** How salt and password were joined before hashing. */
const layouts: Readonly<Record<string, (salt: Buffer, password: Buffer) => Buffer[]>> = {
  password: (_salt, password) => [password],
  "salt+password": (salt, password) => [salt, password],
  "password+salt": (salt, password) => [password, salt],
  "salt+password+salt": (salt, password) => [salt, password, salt],
};

/**
 * One unsalted or salted digest, as old applications stored it. Far too cheap to keep: it verifies once and is replaced.
 *
 * `hash_params`: `{"layout": "salt+password", "salt": "…", "saltEncoding": "utf8"|"hex"|"base64", "encoding": "hex"|"base64"}`;
 * the encodings default to `utf8` for the salt and `hex` for the hash. `layout` is required: guessing it would turn wrong passwords into
 * mysteries.
 */
export const saltedDigestFormat: HashFormat = {
  algorithms: ["md5", "sha1", "sha256", "sha512"],
  parse(hash, algorithm, params) {
    if (!isRecord(params)) return "invalid_hash_params";
    const { layout, salt: saltText = "", saltEncoding = "utf8", encoding = "hex" } = params;
    const join = typeof layout === "string" && Object.hasOwn(layouts, layout) ? layouts[layout] : undefined;
    const salt = typeof saltText === "string" ? decode(saltText, saltEncoding) : undefined;
    if (join === undefined || salt === undefined || salt.length > 256) return "invalid_hash_params";
    if ((layout === "password") !== (salt.length === 0)) return "invalid_hash_params";
    if (encoding !== "hex" && encoding !== "base64") return "invalid_hash_params";
    const expected = decode(hash, encoding);
    if (expected === undefined || expected.length !== digestLengths[algorithm]) return "invalid_hash";
    return {
      verify: async (password) => {
        const hasher = createHash(algorithm);
        for (const part of join(salt, password)) hasher.update(part);
        return equalBytes(hasher.digest(), expected);
      },
      satisfies: neverCurrent,
      cheap: true,
    };
  },
};

function decode(text: string, encoding: unknown): Buffer | undefined {
  if (text === "") return Buffer.alloc(0);
  if (encoding === "utf8") return Buffer.from(text);
  if (encoding === "hex") return decodeHex(text);
  return encoding === "base64" ? decodeLooseBase64(text) : undefined;
}
