import { AuthError } from "../../contract/errors/index.ts";

const maxAddressBytes = 254;
const maxLocalBytes = 64;
const maxLabelBytes = 63;

/** Control characters, bidirectional overrides and marks, zero-width characters: none of them belongs in an address. */
const invisible = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;
const special = /[<>(),;:\\"[\]]/;

/** The normal form of an e-mail address: trimmed and lower-cased (full Unicode). Says nothing about validity. */
export function normalizeEmail(text: string): string {
  return text.trim().toLowerCase();
}

/**
 * The wide rule: what an existing account may carry. Non-empty, no white space, exactly one `@` that is neither first nor last,
 * a dotted domain that neither starts nor ends with a dot. Expects the normal form.
 */
export function isEmail(email: string): boolean {
  if (email === "" || /[ \t\r\n]/.test(email)) return false;
  const at = email.indexOf("@");
  if (at <= 0 || at === email.length - 1 || email.indexOf("@", at + 1) !== -1) return false;
  const domain = email.slice(at + 1);
  return domain.includes(".") && !domain.startsWith(".") && !domain.endsWith(".");
}

/**
 * The narrow rule for addresses entering the system: the wide one, and ≤ 254 bytes, local part ≤ 64 bytes, labels of 1–63 bytes,
 * no invisible characters, none of `<>(),;:\"[]`. Expects the normal form.
 */
export function isNewEmail(email: string): boolean {
  if (!isEmail(email) || invisible.test(email) || special.test(email) || /\s/u.test(email)) return false;
  if (Buffer.byteLength(email) > maxAddressBytes) return false;
  const at = email.indexOf("@");
  if (Buffer.byteLength(email.slice(0, at)) > maxLocalBytes) return false;
  return email
    .slice(at + 1)
    .split(".")
    .every((label) => label !== "" && Buffer.byteLength(label) <= maxLabelBytes);
}

/** Normal form of an address that is about to be stored. Throws `invalid_email`. */
export function parseNewEmail(text: string): string {
  const email = normalizeEmail(text);
  if (!isNewEmail(email)) throw new AuthError("invalid_email");
  return email;
}
