import { verify } from "node:crypto";
import { derSignature, ecdsaLength } from "../../contract/codec/ecdsa-signature.ts";
import type { SigningAlgorithm, VerificationKey } from "../signing-keys/types.ts";
import { digestOf } from "../tokens/jws.ts";
import type { CompactToken } from "./compact.ts";

const algorithms: ReadonlySet<unknown> = new Set<SigningAlgorithm>([
  "RS256",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
]);

/** Whether the header asks for an algorithm we ever accept. `none` and the HMAC ones are none of them. */
export function hasAllowedAlgorithm(token: CompactToken): boolean {
  return algorithms.has(token.header["alg"]);
}

/**
 * The key a token names: by `kid`, or the only key there is when it names none. Undefined when there is no such key, or the key is for
 * another algorithm than the header claims. Keys the header brings along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at.
 */
export function keyFor(
  token: CompactToken,
  keys: ReadonlyMap<string, VerificationKey>,
): VerificationKey | undefined {
  const kid = token.header["kid"];
  let key: VerificationKey | undefined;
  if (kid === undefined) key = keys.size === 1 ? keys.values().next().value : undefined;
  else if (typeof kid === "string") key = keys.get(kid);
  return key?.algorithm === token.header["alg"] ? key : undefined;
}

/** Checks the signature with a key whose algorithm is the token's. R or S of zero (CVE-2022-21449) never verify. */
export function hasValidSignature(token: CompactToken, key: VerificationKey): boolean {
  const { signature, signingInput } = token;
  const expected = ecdsaLength[key.algorithm];
  if (expected !== undefined && signature.length !== expected) return false;
  try {
    const der = expected === undefined ? signature : derSignature(signature);
    return verify(digestOf(key.algorithm), signingInput, key.publicKey, der);
  } catch {
    // A signature the library cannot even read is not valid.
    return false;
  }
}
