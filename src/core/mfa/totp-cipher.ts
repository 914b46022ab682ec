import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "../../platform/random.ts";

/** Version bytes: the first form knows nothing of its owner, the second is bound to the account it belongs to. */
const unbound = 0x01;
const bound = 0x02;
const nonceLength = 12;
const tagLength = 16;

/** Encrypts stored TOTP secrets: version ‖ nonce ‖ AES-GCM ciphertext ‖ tag. */
export interface TotpCipher {
  seal(secret: string, userId: string): Buffer;
  /** Undefined when the bytes are damaged, foreign or another account's. */
  open(sealed: Buffer, userId: string): string | undefined;
  /** Whether only a former key opens it: then it should be sealed anew. */
  isOutdated(sealed: Buffer, userId: string): boolean;
}

function algorithm(key: Buffer): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" {
  return key.length === 16 ? "aes-128-gcm" : key.length === 24 ? "aes-192-gcm" : "aes-256-gcm";
}

function associated(version: number, userId: string): Buffer {
  return version === unbound
    ? Buffer.from([unbound])
    : Buffer.concat([Buffer.from([bound]), Buffer.from(userId)]);
}

function opened(key: Buffer, sealed: Buffer, userId: string): string | undefined {
  const version = sealed[0];
  if ((version !== unbound && version !== bound) || sealed.length < 1 + nonceLength + tagLength)
    return undefined;
  const nonce = sealed.subarray(1, 1 + nonceLength);
  const text = sealed.subarray(1 + nonceLength, -tagLength);
  try {
    const decipher = createDecipheriv(algorithm(key), key, nonce)
      .setAAD(associated(version, userId))
      .setAuthTag(sealed.subarray(-tagLength));
    return Buffer.concat([decipher.update(text), decipher.final()]).toString("utf8");
  } catch {
    // Damaged, or sealed with another key or for another account.
    return undefined;
  }
}

/**
 * Keys have 16, 24 or 32 bytes; `key` seals, the `former` ones open what was sealed before it. The tag tells whose key it is, so the stored form
 * needs no number for it. Secrets sealed by earlier servers, which were not bound to an account, can be opened.
 */
export function createTotpCipher(key: Buffer, random: Random, former: readonly Buffer[] = []): TotpCipher {
  return {
    seal(secret, userId) {
      const nonce = random.bytes(nonceLength);
      const cipher = createCipheriv(algorithm(key), key, nonce).setAAD(associated(bound, userId));
      const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.from([bound]), nonce, text, cipher.getAuthTag()]);
    },

    open(sealed, userId) {
      for (const candidate of [key, ...former]) {
        const secret = opened(candidate, sealed, userId);
        if (secret !== undefined) return secret;
      }
      return undefined;
    },

    isOutdated: (sealed, userId) => opened(key, sealed, userId) === undefined,
  };
}
