import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Platform } from "../platform.ts";

/** Digits of a code: 10^6 possibilities, guessed at five times before it dies. */
const codeDigits = 6;

/** A code and a link token as they leave the server, and what is kept of them. */
export interface IssuedSecrets {
  readonly code: string;
  readonly token: string;
  readonly codeHash: string;
  readonly tokenHash: string;
}

/** Codes and link tokens that prove who reads a mailbox or holds a phone. */
export interface ProofSecrets {
  /** Fresh secrets for an owner. The code is bound to purpose and owner, so that equal codes of two people stay different. */
  issue(owner: string): IssuedSecrets;
  /** Whether it is the code, made with the code secret in use or a former one. Compares in constant time. */
  codeMatches(owner: string, code: string, codeHash: string): boolean;
  /** Non-reversible names of a person's address in keys of the ephemeral store: the one in use, then those by former code secrets. */
  ownerKeys(owner: string): readonly [string, ...string[]];
}

/** What is kept of an opaque token: 256 random bits need no key and no stretching. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

export function createProofSecrets(
  platform: Pick<Platform, "config" | "random">,
  purpose: string,
): ProofSecrets {
  const { config, random } = platform;
  const derive = (secret: Buffer): KeyObject =>
    createSecretKey(createHmac("sha256", secret).update(`proof:${purpose}`).digest());
  const current = derive(config.keys.codeSecret);
  const former = config.keys.codeFormerSecrets.map(derive);
  const keyed = (key: KeyObject, kind: string, ...parts: readonly string[]): Buffer =>
    createHmac("sha256", key)
      .update(JSON.stringify([kind, ...parts]))
      .digest();
  const ownerKey = (key: KeyObject, owner: string): string =>
    keyed(key, "owner", owner).toString("base64url");

  return {
    issue(owner) {
      const code = random.digits(codeDigits);
      const token = random.token(32);
      return {
        code,
        token,
        codeHash: keyed(current, "code", owner, code).toString("hex"),
        tokenHash: hashToken(token),
      };
    },
    codeMatches(owner, code, codeHash) {
      const kept = Buffer.from(codeHash.padEnd(64, "0").slice(0, 64), "hex");
      return [current, ...former].some((key) => timingSafeEqual(keyed(key, "code", owner, code), kept));
    },
    ownerKeys: (owner) => [ownerKey(current, owner), ...former.map((key) => ownerKey(key, owner))],
  };
}
