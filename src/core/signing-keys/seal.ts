import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "../../platform/random.ts";
import { SigningKeyError } from "./errors.ts";

/** Layout: version ‖ nonce ‖ ciphertext ‖ tag. */
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts a private key for storage with AES-256-GCM under the keyring secret. The key id is authenticated too, so a row's key cannot
 * be moved under another id. Nonces are random: at the few keys a keyring ever holds, a repeat is out of reach.
 */
export function sealPrivateKey(pem: string, kid: string, secret: Buffer, random: Random): Buffer {
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", secret, nonce);
  cipher.setAAD(Buffer.from(kid));
  return Buffer.concat([
    Buffer.of(version),
    nonce,
    cipher.update(pem, "utf8"),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/**
 * Opens what {@link sealPrivateKey} made.
 * @throws SigningKeyError when the secret is another one or the row was altered
 */
export function openPrivateKey(sealed: Buffer, kid: string, secret: Buffer): string {
  if (sealed[0] !== version || sealed.length <= 1 + nonceBytes + tagBytes) {
    throw new SigningKeyError(`signing key ${kid} is stored in an unknown form`);
  }
  try {
    const decipher = createDecipheriv("aes-256-gcm", secret, sealed.subarray(1, 1 + nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(kid));
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    return Buffer.concat([
      decipher.update(sealed.subarray(1 + nonceBytes, -tagBytes)),
      decipher.final(),
    ]).toString("utf8");
  } catch (error) {
    throw new SigningKeyError(
      `AUTHKIT_KEYRING_SECRET does not open signing key ${kid}; it was sealed under another secret`,
      error,
    );
  }
}
