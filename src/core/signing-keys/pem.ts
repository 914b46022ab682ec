import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { SigningKeyError } from "./errors.ts";
import type { SigningAlgorithm } from "./types.ts";

/** Smallest RSA modulus accepted, in bits. */
const minimumRsaBits = 2048;

const block = /-----BEGIN ([A-Z0-9 ]+)-----\s+[A-Za-z0-9+/=\s]+?-----END \1-----/;

const curves: Readonly<Record<string, SigningAlgorithm>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};

/** First PEM block of `text` and its label. Environment variables often carry line feeds as `\n`, so those are unescaped. */
function firstBlock(text: string, what: string): { label: string; pem: string } {
  const found = block.exec(text.includes("\\n") ? text.replaceAll("\\r", "").replaceAll("\\n", "\n") : text);
  if (found === null) throw new SigningKeyError(`${what} holds no PEM block`);
  return { label: found[1] ?? "", pem: found[0] };
}

/**
 * The JWS algorithm a key signs with: RSA → RS256, P-256 → ES256, P-384 → ES384, P-521 → ES512, Ed25519 → EdDSA.
 * @throws SigningKeyError for every other type, and for RSA below 2048 bits.
 */
export function algorithmOf(key: KeyObject, what = "key"): SigningAlgorithm {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case "rsa": {
      const bits = details?.modulusLength ?? 0;
      if (bits < minimumRsaBits) {
        throw new SigningKeyError(
          `${what} is an RSA key of ${bits} bits; at least ${minimumRsaBits} are required`,
        );
      }
      return "RS256";
    }
    case "ec": {
      const algorithm = curves[details?.namedCurve ?? ""];
      if (algorithm !== undefined) return algorithm;
      throw new SigningKeyError(`${what} is on curve ${details?.namedCurve}; use P-256, P-384 or P-521`);
    }
    case "ed25519":
      return "EdDSA";
    default:
      throw new SigningKeyError(`${what} is of type ${key.asymmetricKeyType}; use RSA, EC or Ed25519`);
  }
}

/**
 * Reads the first PEM block of a private key: `RSA PRIVATE KEY` (PKCS #1), `EC PRIVATE KEY` (SEC 1), anything else as PKCS #8.
 * Encrypted keys are refused.
 * @throws SigningKeyError
 */
export function parsePrivateKey(text: string, what = "private key"): KeyObject {
  // OpenSSL writes the curve before a SEC 1 key in a block of its own.
  const { label, pem } = firstBlock(
    text.replace(/-----BEGIN EC PARAMETERS-----[^-]*-----END EC PARAMETERS-----/, ""),
    what,
  );
  if (label === "ENCRYPTED PRIVATE KEY")
    throw new SigningKeyError(`${what} is encrypted; give it without a passphrase`);
  let key: KeyObject;
  try {
    key = createPrivateKey(label.endsWith("PRIVATE KEY") ? pem : pem.replaceAll(label, "PRIVATE KEY"));
  } catch (error) {
    throw new SigningKeyError(`${what} is not a usable private key`, error);
  }
  algorithmOf(key, what);
  return key;
}

/**
 * Reads the first PEM block of a public key: `PUBLIC KEY` (SPKI), `CERTIFICATE` (its key, nothing else is checked) or
 * `RSA PUBLIC KEY` (PKCS #1). A private key is refused: it has no business there.
 * @throws SigningKeyError
 */
export function parsePublicKey(text: string, what = "public key"): KeyObject {
  const { label, pem } = firstBlock(text, what);
  let key: KeyObject;
  try {
    switch (label) {
      case "CERTIFICATE":
        key = new X509Certificate(pem).publicKey;
        break;
      case "PUBLIC KEY":
      case "RSA PUBLIC KEY":
        key = createPublicKey(pem);
        break;
      default:
        throw new SigningKeyError(
          `${what} is a ${label} block; give PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE`,
        );
    }
  } catch (error) {
    if (error instanceof SigningKeyError) throw error;
    throw new SigningKeyError(`${what} is not a usable public key`, error);
  }
  algorithmOf(key, what);
  return key;
}
