import { AuthError } from "../../contract/errors/index.ts";

const e164 = /^\+[1-9][0-9]{1,14}$/;

/**
 * The normal form of a phone number: trimmed, and freed of the spaces, dashes, dots and parentheses people write. A leading `00` is kept,
 * and then invalid: which digits it stands for depends on the country.
 */
export function normalizePhone(text: string): string {
  return text.replace(/[\s\-.()\u2010-\u2015]/gu, "");
}

/** Whether the text is an E.164 number: `+`, a digit 1–9, then 1 to 14 digits. Expects the normal form. */
export function isPhone(phone: string): boolean {
  return e164.test(phone);
}

/** Normal form of a number that is about to be stored. Throws `invalid_phone_number`. */
export function parseNewPhone(text: string): string {
  const phone = normalizePhone(text);
  if (!isPhone(phone)) throw new AuthError("invalid_phone_number");
  return phone;
}
