import { sign } from "node:crypto";
import { ecdsaLength, joseSignature } from "../../contract/codec/ecdsa-signature.ts";
import { AuthError } from "../../contract/errors/index.ts";
import type { KeyRing, KeySet, SigningAlgorithm } from "../signing-keys/types.ts";
import { encodeSorted } from "./json.ts";

/** Digest of a JWS algorithm as `node:crypto` names it; EdDSA hashes by itself. */
export function digestOf(algorithm: SigningAlgorithm): string | null {
  switch (algorithm) {
    case "RS256":
    case "ES256":
      return "sha256";
    case "ES384":
      return "sha384";
    case "ES512":
      return "sha512";
    case "EdDSA":
      return null;
  }
}

type ActiveKey = NonNullable<KeySet["active"]>;

/** Everything of a signature that stays the same while a key set is in use. */
interface PreparedKey {
  readonly key: ActiveKey;
  readonly digest: string | null;
  /** Encoded header and the dot after it, by `typ`. */
  readonly headers: Map<string, string>;
}

/** Custom tokens bring types of their own; beyond this many, headers are encoded anew each time. */
const maxHeaders = 64;

/** Signs payload texts as compact JWS (RFC 7515) with the active key; the header is exactly `alg`, `kid`, `typ`. */
export interface JwsSigner {
  /** The active key's id and algorithm. Throws `missing_signer`. */
  active(): { readonly kid: string; readonly algorithm: SigningAlgorithm };
  /** Throws `missing_signer` without an active key. */
  sign(typ: string, payload: string | Buffer): string;
}

export function createJwsSigner(keyRing: KeyRing): JwsSigner {
  let prepared: PreparedKey | undefined;

  function prepare(): PreparedKey {
    const key = keyRing.current().active;
    if (key === undefined || key.kid.trim() !== key.kid || key.kid === "")
      throw new AuthError("missing_signer");
    if (prepared?.key === key) return prepared;
    prepared = {
      key,
      digest: digestOf(key.algorithm),
      headers: new Map(),
    };
    return prepared;
  }

  function header(from: PreparedKey, typ: string): string {
    const known = from.headers.get(typ);
    if (known !== undefined) return known;
    const text = encodeSorted({ alg: from.key.algorithm, kid: from.key.kid, typ });
    const encoded = `${Buffer.from(text).toString("base64url")}.`;
    if (from.headers.size < maxHeaders) from.headers.set(typ, encoded);
    return encoded;
  }

  return {
    active: () => prepare().key,
    sign(typ, payload) {
      const from = prepare();
      const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
      const input = header(from, typ) + bytes.toString("base64url");
      const made = sign(from.digest, Buffer.from(input, "latin1"), from.key.privateKey);
      const length = ecdsaLength[from.key.algorithm];
      const signature = length === undefined ? made : joseSignature(made, length);
      return `${input}.${signature.toString("base64url")}`;
    },
  };
}
