import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { encodeJson } from "../tokens/json.ts";
import { SigningKeyError } from "./errors.ts";
import { publicJwk } from "./jwk.ts";
import { algorithmOf } from "./pem.ts";
import type { KeySet, VerificationKey } from "./types.ts";

/** What a source found, before it is frozen into a {@link KeySet}. */
export interface KeyMaterial {
  readonly active: { readonly kid: string; readonly privateKey: KeyObject } | undefined;
  /** Published and accepted, not signing: retired and pre-published keys. */
  readonly others: ReadonlyMap<string, KeyObject>;
}

export const noKeys: KeyMaterial = { active: undefined, others: new Map() };

function byteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Compares encodings: `KeyObject.equals` on keys of two types leaves an error behind in OpenSSL that the next key parsed would fail with. */
function isSameKey(a: KeyObject, b: KeyObject): boolean {
  const encode = (key: KeyObject): Buffer => key.export({ format: "der", type: "spki" });
  return encode(a).equals(encode(b));
}

/**
 * Builds the immutable set signer, JWKS and verifier share, with the JWKS document already encoded.
 * @throws SigningKeyError when another key is listed under the id of the active one, or an id is blank
 */
export function buildKeySet(material: KeyMaterial, source: KeySet["source"], loadedAt: Date): KeySet {
  const byKid = new Map<string, VerificationKey>();
  const add = (kid: string, publicKey: KeyObject): VerificationKey => {
    if (kid.trim() === "") throw new SigningKeyError("a key id is blank");
    const key = { kid, algorithm: algorithmOf(publicKey, `key ${kid}`), publicKey };
    byKid.set(kid, key);
    return key;
  };
  for (const [kid, key] of material.others) add(kid, key);
  let active: KeySet["active"];
  if (material.active !== undefined) {
    const { kid, privateKey } = material.active;
    const publicKey = createPublicKey(privateKey);
    const listed = byKid.get(kid);
    if (listed !== undefined && !isSameKey(listed.publicKey, publicKey)) {
      throw new SigningKeyError(
        `key id ${kid} is active and is also listed with another public key; ids must be unique`,
      );
    }
    active = { ...add(kid, publicKey), privateKey };
  }
  const keys = [...byKid.values()].sort((a, b) => byteOrder(a.kid, b.kid));
  const jwks = Buffer.from(
    `{"keys":[${keys.map(({ kid, algorithm, publicKey }) => encodeJson(publicJwk(kid, algorithm, publicKey))).join(",")}]}`,
  );
  const etag = `"${createHash("sha256").update(jwks).digest("hex")}"`;
  return { active, byKid, jwks, etag, source, loadedAt };
}
