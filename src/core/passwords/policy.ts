import type { Config } from "../../config/config.ts";
import { AuthError, type ErrorCode, isAuthError } from "../../contract/errors/index.ts";
import { estimateStrength, type Strength } from "../breached-passwords/strength.ts";
import type { BreachedPasswords } from "../breached-passwords/types.ts";
import type { PasswordOwner } from "./types.ts";

/** Below this many bytes no configuration goes. */
const minBytes = 8;

/** A context word shorter than this would refuse passwords for accidents. */
const minWordLength = 4;

/** What is left of a password without the words anyone would try first must itself be worth guessing. */
const minRemainder = 6;

export type PasswordPolicy = (password: string, about?: PasswordOwner) => void;

/** A password that somebody is choosing, judged. */
export interface Judgement {
  readonly strength: Strength;
  /** Code by which the policy would refuse it. */
  readonly refusal: ErrorCode | undefined;
}

/**
 * Checks new passwords, never stored ones. Length is all that is always asked for (no composition rules, NIST SP 800-63B-4 §3.1.1.2):
 * 8 bytes at least, `minLength` characters where configured higher, and at most `maxLength` bytes, because an attacker could make us
 * hash megabytes. Where configured, commonest and leaked passwords, the owner's own names and the deployment's words are refused.
 */
export function createPasswordPolicy(
  config: Config["passwords"],
  breached: BreachedPasswords | undefined,
): PasswordPolicy {
  return (password, about = {}) => {
    const bytes = Buffer.byteLength(password);
    if (bytes < minBytes) throw new AuthError("password_too_short");
    if (config.minLength > minBytes && countCharacters(password) < config.minLength) {
      throw new AuthError("password_too_short");
    }
    if (bytes > config.maxLength) throw new AuthError("invalid_request");
    const words = config.breachedCheck ? [...config.contextWords, ...ownWords(about)] : config.contextWords;
    if (isMadeOf(password, words))
      throw new AuthError("password_too_common", { metadata: { reason: "context" } });
    const found = config.breachedCheck ? breached?.find(password) : undefined;
    if (found === "common") throw new AuthError("password_too_common", { metadata: { reason: "common" } });
    if (found === "breached") throw new AuthError("password_breached");
  };
}

/** Advice for whoever is choosing: the estimate, and what the policy would say. A password longer than the policy reads is not estimated. */
export function createPasswordJudge(
  config: Config["passwords"],
  breached: BreachedPasswords | undefined,
  policy: PasswordPolicy,
): (password: string, about?: PasswordOwner) => Judgement {
  return (password, about = {}) => {
    let refusal: ErrorCode | undefined;
    try {
      policy(password, about);
    } catch (error) {
      if (!isAuthError(error)) throw error;
      refusal = error.code;
    }
    const words = [...config.contextWords, ...ownWords(about)];
    const read = password.slice(0, config.maxLength);
    return { strength: estimateStrength(read, breached, words), refusal };
  };
}

/** Code points: what a person would count, near enough. */
function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The username, the local part of the e-mail address and its pieces. */
function ownWords({ email, username }: PasswordOwner): string[] {
  const local = email?.slice(0, email.lastIndexOf("@")) ?? "";
  const domain = email?.slice(email.lastIndexOf("@") + 1).split(".") ?? [];
  return [local, ...local.split(/[^\p{L}\p{N}]+/u), domain.at(-2) ?? "", username ?? ""];
}

/** Whether the password is little else than `words`, in whatever case and punctuation. */
export function isMadeOf(password: string, words: readonly string[]): boolean {
  let rest = letters(password);
  const before = rest.length;
  // Longest first: `annasmith` must go before `anna`.
  for (const word of words.map(letters).sort((a, b) => b.length - a.length)) {
    if (word.length >= minWordLength) rest = rest.replaceAll(word, "");
  }
  return rest.length < before && rest.length < minRemainder;
}

function letters(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
}
