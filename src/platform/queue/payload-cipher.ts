import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
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

/** @param secret `config.keys.codeSecret`; the key in use is derived from it (HKDF-SHA256, RFC 5869). */
export function createPayloadCipher(secret: Buffer, random: Random): PayloadCipher {
  const key = Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), "authkit job payloads", 32));
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
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivBytes), {
        authTagLength: tagBytes,
      })
        .setAAD(Buffer.from(queue))
        .setAuthTag(bytes.subarray(-tagBytes));
      const text = Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]);
      return JSON.parse(text.toString("utf8"));
    },
  };
}

function sealedText(payload: unknown): string {
  const sealed = typeof payload === "object" && payload !== null ? Reflect.get(payload, "sealed") : undefined;
  if (typeof sealed !== "string" || !sealed.startsWith(`${version}.`))
    throw new Error("a job payload is not sealed");
  return sealed;
}
