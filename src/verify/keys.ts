import { createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";
import { derSignature, ecdsaLength } from "../contract/codec/ecdsa-signature.ts";
import type { CompactToken } from "./compact.ts";

/** Every algorithm a token may be signed with. `none` and the HMAC ones can never be among them: only public keys are held. */
export const supportedAlgorithms = ["RS256", "ES256", "ES384", "ES512", "EdDSA"] as const;
export type Algorithm = (typeof supportedAlgorithms)[number];

export interface VerificationKey {
  readonly algorithm: Algorithm;
  readonly publicKey: KeyObject;
}

/** Keys of an issuer by key id. A new object whenever they change, and only then. */
export type KeySet = ReadonlyMap<string, VerificationKey>;

const digests: Readonly<Record<Algorithm, string | null>> = {
  RS256: "sha256",
  ES256: "sha256",
  ES384: "sha384",
  ES512: "sha512",
  EdDSA: null,
};
const byCurve: Readonly<Record<string, Algorithm>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};

/** The one algorithm a key is for; undefined for keys that are too weak or of another kind. */
function algorithmOf(key: KeyObject): Algorithm | undefined {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "rsa":
      return modulusLength >= 2048 &&
        modulusLength <= 8192 &&
        publicExponent >= 3n &&
        publicExponent % 2n === 1n
        ? "RS256"
        : undefined;
    case "ec":
      return byCurve[namedCurve];
    case "ed25519":
      return "EdDSA";
    default:
      return undefined;
  }
}

function usable(publicKey: KeyObject): VerificationKey | undefined {
  const algorithm = algorithmOf(publicKey);
  return algorithm === undefined ? undefined : { algorithm, publicKey };
}

/** A public key in PEM; undefined when it is none, or one no token may be signed with. */
export function keyFromPem(pem: string): VerificationKey | undefined {
  try {
    return usable(createPublicKey(pem));
  } catch {
    // Unreadable: the caller reports it.
    return undefined;
  }
}

/** A JWK (RFC 7517); undefined when it is not for signatures, malformed, too weak, or says another algorithm than its key is for. */
export function keyFromJwk(jwk: Readonly<Record<string, unknown>>): VerificationKey | undefined {
  const { use, alg, kty, crv, n, e, x, y } = jwk;
  if (use !== undefined && use !== "sig") return undefined;
  const kind = typeof kty === "string" ? kty.toUpperCase() : "";
  const members: Record<string, unknown> =
    kind === "RSA" ? { n, e } : kind === "EC" ? { crv, x, y } : { crv, x };
  if (Object.values(members).some((value) => typeof value !== "string")) return undefined;
  // Public members alone are handed on: a private key that was published by mistake is no reason to load it.
  const key: JsonWebKey = { kty: kind };
  Object.assign(key, members);
  try {
    const found = usable(createPublicKey({ key, format: "jwk" }));
    return alg === undefined || alg === found?.algorithm ? found : undefined;
  } catch {
    // Not a point of the curve, or no key at all.
    return undefined;
  }
}

/**
 * The key a token names: by `kid`, or the only one there is when it names none; undefined when there is no such key or it is for another
 * algorithm than the header claims. Keys the header brings along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at.
 */
export function keyFor(token: CompactToken, keys: KeySet): VerificationKey | undefined {
  const { kid, alg } = token.header;
  const only = kid === undefined && keys.size === 1 ? keys.values().next().value : undefined;
  const key = typeof kid === "string" ? keys.get(kid) : only;
  return key?.algorithm === alg ? key : undefined;
}

/** Whether the signature is good. R or S of zero (CVE-2022-21449) never are. */
export function hasValidSignature({ signature, signingInput }: CompactToken, key: VerificationKey): boolean {
  const length = ecdsaLength[key.algorithm];
  if (length !== undefined && signature.length !== length) return false;
  try {
    const der = length === undefined ? signature : derSignature(signature);
    return verify(digests[key.algorithm], signingInput, key.publicKey, der);
  } catch {
    // A signature the library cannot even read is not valid.
    return false;
  }
}
