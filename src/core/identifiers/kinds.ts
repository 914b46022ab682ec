import { AuthError } from "../../contract/errors/index.ts";
import { isNewEmail, normalizeEmail } from "./email.ts";
import { isPhone, normalizePhone } from "./phone.ts";

export type Identifier =
  | { readonly kind: "email"; readonly value: string }
  | { readonly kind: "phone"; readonly value: string }
  | { readonly kind: "username"; readonly value: string };

/**
 * What a person typed into a login form: with `@` an e-mail address, with a leading `+` a phone number, else a username. Never refuses:
 * an identifier that cannot exist is simply not found.
 */
export function loginIdentifier(text: string): Identifier {
  const trimmed = text.trim();
  if (trimmed.includes("@")) return { kind: "email", value: normalizeEmail(trimmed) };
  if (trimmed.startsWith("+")) return { kind: "phone", value: normalizePhone(trimmed) };
  return { kind: "username", value: trimmed };
}

/** What somebody registers with: a valid phone number or a valid e-mail address. Throws `invalid_identifier`. */
export function registrationIdentifier(text: string): Exclude<Identifier, { kind: "username" }> {
  const phone = normalizePhone(text);
  if (isPhone(phone)) return { kind: "phone", value: phone };
  const email = normalizeEmail(text);
  if (isNewEmail(email)) return { kind: "email", value: email };
  throw new AuthError("invalid_identifier");
}

/** Passwordless sign-in: with `@` an e-mail address, else a phone number. Throws `invalid_email` / `invalid_phone_number`. */
export function passwordlessIdentifier(text: string): Exclude<Identifier, { kind: "username" }> {
  if (text.includes("@")) {
    const email = normalizeEmail(text);
    if (!isNewEmail(email)) throw new AuthError("invalid_email");
    return { kind: "email", value: email };
  }
  const phone = normalizePhone(text);
  if (!isPhone(phone)) throw new AuthError("invalid_phone_number");
  return { kind: "phone", value: phone };
}

/** Key text of an identifier for rate limits: the same account typed differently counts once. */
export function limitKey(text: string): string {
  return text.trim().toLowerCase();
}
