import type { BreachedPasswords } from "./types.ts";

/** What would make it stronger; a front end words it. */
export type StrengthHint = "longer" | "common" | "breached" | "repetition" | "sequence" | "context";

export interface Strength {
  /** 0 guessed at once, 1 in minutes, 2 in a targeted attack, 3 hard, 4 out of reach. */
  readonly score: 0 | 1 | 2 | 3 | 4;
  /** Estimated binary logarithm of the guesses needed; an upper bound, as all such estimates are. */
  readonly bits: number;
  readonly hints: readonly StrengthHint[];
}

/** Bits below which each score from 0 to 3 ends: 10^3, 10^6, 10^8, 10^10 guesses, as zxcvbn draws the lines. */
const thresholds = [10, 20, 27, 34] as const;

/** What a character is worth that does not follow from the one before it: people choose lower case and digits, and few words. */
const freshBits = 4;
/** What a character is worth that repeats or continues. */
const followingBits = 0.5;

/** Neighbours on common keyboards; a run along one of them is one decision, not many. */
const rows = [
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "qwertzuiop",
  "yxcvbnm",
  "azertyuiop",
  "qsdfghjklm",
  "wxcvbn",
];

/**
 * Feedback for whoever is choosing a password. Advice only: what is refused is decided by the policy, and no kind of character is ever
 * asked for.
 *
 * @param contextWords the person's own names and the deployment's words.
 */
export function estimateStrength(
  password: string,
  breached: BreachedPasswords | undefined,
  contextWords: readonly string[] = [],
): Strength {
  const hints = new Set<StrengthHint>();
  const found = breached?.find(password);
  if (found !== undefined) return { score: 0, bits: 0, hints: [found] };

  let text = password.toLowerCase();
  let bits = 0;
  for (const word of contextWords) {
    if (word.length < 4 || !text.includes(word.toLowerCase())) continue;
    text = text.replaceAll(word.toLowerCase(), "");
    bits += 1;
    hints.add("context");
  }
  const characters = [...text];
  let following = 0;
  for (const [at, character] of characters.entries()) {
    const step = relation(characters[at - 1], character);
    bits += step === "fresh" ? freshBits : followingBits;
    if (step === "fresh") continue;
    following++;
    if (following > 1) hints.add(step);
  }
  const period = shortestPeriod(characters);
  if (period < characters.length) {
    bits = Math.min(bits, period * freshBits + Math.log2(characters.length / period));
    hints.add("repetition");
  }
  const score = scoreOf(bits);
  if (score < 3) hints.add("longer");
  // A repeated letter in a good passphrase needs no remark.
  else hints.clear();
  return { score, bits: Math.round(bits * 10) / 10, hints: [...hints] };
}

function relation(before: string | undefined, now: string): "fresh" | "repetition" | "sequence" {
  if (before === undefined) return "fresh";
  if (before === now) return "repetition";
  const distance = (now.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0);
  if (Math.abs(distance) === 1) return "sequence";
  const neighbours = rows.some((row) => row.includes(before + now) || row.includes(now + before));
  return neighbours ? "sequence" : "fresh";
}

/** Length of the shortest block whose repetition makes the whole; the length itself when there is none. */
function shortestPeriod(characters: readonly string[]): number {
  for (let period = 1; period <= characters.length / 2; period++) {
    if (characters.every((character, at) => character === characters[at % period])) return period;
  }
  return characters.length;
}

function scoreOf(bits: number): Strength["score"] {
  if (bits < thresholds[0]) return 0;
  if (bits < thresholds[1]) return 1;
  if (bits < thresholds[2]) return 2;
  return bits < thresholds[3] ? 3 : 4;
}
