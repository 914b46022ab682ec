import { createHmac, hash } from "node:crypto";

const shape = /^[A-Za-z0-9_-]{43}$/;
const graceLabel = "authkit:refresh-rotation-grace:v1";
const blockBytes = 32;

/** Whether the text can be a refresh token at all: 32 bytes in base64url. Anything else needs no look at the database. */
export function looksLikeRefreshToken(text: string): boolean {
  return shape.test(text);
}

/** What is stored of a refresh token: the SHA-256 of its text. */
export function hashRefreshToken(token: string): Buffer {
  return hash("sha256", token, "buffer");
}

/**
 * Seals the successor of a rotated token so that only a holder of the predecessor can read it: XOR with the key stream
 * HMAC-SHA-256(predecessor, label ‖ block number). Authenticity comes from comparing the opened text with the stored hash.
 */
export function sealSuccessor(predecessor: string, successor: string): Buffer {
  return keyed(predecessor, Buffer.from(successor));
}

/** Opens what {@link sealSuccessor} made. With a wrong predecessor the result is noise. */
export function openSuccessor(predecessor: string, sealed: Buffer): string {
  return keyed(predecessor, sealed).toString();
}

function keyed(key: string, input: Buffer): Buffer {
  const output = Buffer.alloc(input.length);
  for (let start = 0, block = 0; start < input.length; start += blockBytes, block++) {
    const stream = createHmac("sha256", key).update(graceLabel).update(Buffer.of(block)).digest();
    for (let i = start; i < Math.min(start + blockBytes, input.length); i++)
      output[i] = (input[i] ?? 0) ^ (stream[i - start] ?? 0);
  }
  return output;
}
