import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { SigningAlgorithm } from "./types.ts";

/** Modulus of RSA keys we make: 128-bit security. */
const rsaBits = 3072;

/** A new private key for an algorithm. */
export function generatePrivateKey(algorithm: SigningAlgorithm): KeyObject {
  switch (algorithm) {
    case "RS256":
      return generateKeyPairSync("rsa", { modulusLength: rsaBits }).privateKey;
    case "ES256":
      return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    case "ES384":
      return generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
    case "ES512":
      return generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey;
    case "EdDSA":
      return generateKeyPairSync("ed25519").privateKey;
  }
}

/** PKCS #8 PEM of a private key. */
export function privatePem(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

/** SPKI PEM of a public key. */
export function publicPem(key: KeyObject): string {
  return key.export({ format: "pem", type: "spki" }).toString();
}
