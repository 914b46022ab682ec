import { timingSafeEqual } from "node:crypto";
import { generateSync } from "otplib";
import type { Random } from "../../platform/random.ts";

/** Seconds of a time step (RFC 6238 §4). */
export const totpPeriod = 30;
const digits = 6;
const secretBytes = 20;
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A new shared secret: 160 random bits in base32 without padding. */
export function newTotpSecret(random: Random): string {
  let bits = "";
  for (const byte of random.bytes(secretBytes)) bits += byte.toString(2).padStart(8, "0");
  return (bits.match(/.{5}/g) ?? []).map((five) => base32[Number.parseInt(five, 2)]).join("");
}

/** The code of a time step. Throws for a secret that is no base32. */
export function totpCode(secret: string, step: number): string {
  return generateSync({
    secret: secret.trim().toUpperCase(),
    epoch: step * totpPeriod,
    period: totpPeriod,
    digits,
  });
}

/**
 * The time step a code belongs to: the previous, the present or the next one, tried in that order; undefined when it is none of them. The caller
 * must see to it that a step is accepted once (RFC 6238 §5.2).
 */
export function matchingStep(secret: string, code: string, epochSeconds: number): number | undefined {
  if (!/^[0-9]{6}$/.test(code)) return undefined;
  const now = Math.floor(epochSeconds / totpPeriod);
  return [now - 1, now, now + 1].find((step) => step >= 0 && isSame(totpCode(secret, step), code));
}

/** Compares in constant time. */
function isSame(expected: string, given: string): boolean {
  return expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}

/** The URI an authenticator app scans. The issuer is a plain name, since a colon in it would split the label. */
export function otpauthUri(secret: string, issuer: string, account: string): string {
  const name = issuer.replaceAll(":", " ").trim() || "AuthKit";
  const label = `${encodeURIComponent(name)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?algorithm=SHA1&digits=${digits}&issuer=${encodeURIComponent(name)}&period=${totpPeriod}&secret=${secret}`;
}
