import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import type { Random } from "../random.ts";

const version = "v1";
const ivBytes = 12;
const tagBytes = 16;

/** A sealed payload as it lies in the job's row. */
export interface SealedPayload {
  readonly sealed: string;
}

/** Keeps what a job carries (codes, links, addresses) unreadable to those who can read the database. */
export interface PayloadCipher {
  /** AES-256-GCM over the JSON text; bound to the queue's name. */
  seal(queue: string, payload: unknown): SealedPayload;
  /**
   * The payload sealed for this queue.
   *
   * @throws Error when it was sealed under another key, for another queue, or altered.
   */
  open(queue: string, payload: unknown): unknown;
}

/**
 * @param secret `config.keys.codeSecret`; the key in use is derived from it (HKDF-SHA256, RFC 5869)
 * @param former further secrets whose payloads are opened too
 */
export function createPayloadCipher(
  secret: Buffer,
  random: Random,
  former: readonly Buffer[] = [],
): PayloadCipher {
  const derive = (from: Buffer): KeyObject =>
    createSecretKey(Buffer.from(hkdfSync("sha256", from, Buffer.alloc(0), "authkit job payloads", 32)));
  const key = derive(secret);
  const openers = [key, ...former.map(derive)];
  return {
    seal(queue, payload) {
      const iv = random.bytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(queue));
      const text = Buffer.concat([cipher.update(JSON.stringify(payload), "utf8"), cipher.final()]);
      return { sealed: `${version}.${Buffer.concat([iv, text, cipher.getAuthTag()]).toString("base64url")}` };
    },
    open(queue, payload) {
      const bytes = Buffer.from(sealedText(payload).slice(version.length + 1), "base64url");
      if (bytes.length < ivBytes + tagBytes) throw new Error("a sealed job payload is too short");
      for (const candidate of openers) {
        const text = opened(bytes, queue, candidate);
        if (text !== undefined) return JSON.parse(text);
      }
      throw new Error(
        "a job payload does not open: it was altered, or sealed under another AUTHKIT_CODE_SECRET (or what that is derived from); keep the former one in AUTHKIT_CODE_FORMER_SECRETS",
      );
    },
  };
}

function opened(bytes: Buffer, queue: string, key: KeyObject): string | undefined {
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(queue))
    .setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]).toString(
      "utf8",
    );
  } catch {
    // Altered, or sealed under another key.
    return undefined;
  }
}

function sealedText(payload: unknown): string {
  const sealed = typeof payload === "object" && payload !== null ? Reflect.get(payload, "sealed") : undefined;
  if (typeof sealed !== "string" || !sealed.startsWith(`${version}.`))
    throw new Error("a job payload is not sealed");
  return sealed;
}
