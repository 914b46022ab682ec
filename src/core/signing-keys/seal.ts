import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "../../platform/random.ts";
import { SigningKeyError } from "./errors.ts";
import type { KeyringSecrets } from "./keyring-secrets.ts";

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

/** A private key that was opened, and whether one of the former secrets did it: then it should be sealed anew. */
export interface OpenedPrivateKey {
  readonly pem: string;
  readonly outdated: boolean;
}

/**
 * Opens what {@link sealPrivateKey} made, with the first of the secrets that does.
 * @throws SigningKeyError when none does, or the row was altered
 */
export function openPrivateKey(sealed: Buffer, kid: string, secrets: KeyringSecrets): OpenedPrivateKey {
  if (sealed[0] !== version || sealed.length <= 1 + nonceBytes + tagBytes) {
    throw new SigningKeyError(`signing key ${kid} is stored in an unknown form`);
  }
  const current = opened(sealed, kid, secrets.current);
  if (current !== undefined) return { pem: current, outdated: false };
  for (const secret of secrets.former) {
    const pem = opened(sealed, kid, secret);
    if (pem !== undefined) return { pem, outdated: true };
  }
  const tried =
    secrets.former.length === 0
      ? "AUTHKIT_KEYRING_SECRET does not open"
      : "neither AUTHKIT_KEYRING_SECRET nor AUTHKIT_KEYRING_FORMER_SECRETS open";
  throw new SigningKeyError(
    `${tried} signing key ${kid}; it was sealed under another secret: add that one to AUTHKIT_KEYRING_FORMER_SECRETS, ` +
      "or if it is lost start afresh with `authkit-server keys rotate --now --drop-old`, which ends every outstanding access token",
  );
}

function opened(sealed: Buffer, kid: string, secret: Buffer): string | undefined {
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
  } catch {
    // Sealed under another secret, or altered.
    return undefined;
  }
}
