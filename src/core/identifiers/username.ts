import { AuthError } from "../../contract/errors/index.ts";

/** `interactive`: chosen by a person (4–30 bytes). `operator`: import, bootstrap, management (4–64 bytes, `-` allowed). */
export type UsernameRule = "interactive" | "operator";

export const usernameMinBytes = 4;
export const usernameMaxBytes: Readonly<Record<UsernameRule, number>> = { interactive: 30, operator: 64 };

const allowed: Readonly<Record<UsernameRule, RegExp>> = {
  interactive: /^[A-Za-z0-9_]*$/,
  operator: /^[A-Za-z0-9_-]*$/,
};

/**
 * The username to store: trimmed, case kept (names are unique ignoring case).
 *
 * Throws, first failure wins: `username_too_short`, `username_too_long`, `username_must_start_with_letter`,
 * `username_cannot_contain_at`, `username_cannot_start_with_plus`, `username_invalid_characters`; and `username_not_allowed` when the
 * name is in `reserved` (pass it on interactive paths only).
 */
export function parseUsername(text: string, rule: UsernameRule, reserved: readonly string[] = []): string {
  const name = text.trim();
  const bytes = Buffer.byteLength(name);
  if (bytes < usernameMinBytes) throw new AuthError("username_too_short");
  if (bytes > usernameMaxBytes[rule]) throw new AuthError("username_too_long");
  if (!/^[A-Za-z]/.test(name)) throw new AuthError("username_must_start_with_letter");
  if (name.includes("@")) throw new AuthError("username_cannot_contain_at");
  if (!allowed[rule].test(name)) throw new AuthError("username_invalid_characters");
  if (isReservedUsername(name, reserved)) throw new AuthError("username_not_allowed");
  return name;
}

/** Whether the operator keeps this name back, ignoring case. */
export function isReservedUsername(name: string, reserved: readonly string[]): boolean {
  const folded = foldUsername(name);
  return reserved.some((entry) => foldUsername(entry) === folded);
}

/** The form under which two names are the same one. */
export function foldUsername(name: string): string {
  return name.trim().toLowerCase();
}
