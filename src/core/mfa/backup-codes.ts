import { createHash } from "node:crypto";
import type { Random } from "../../platform/random.ts";

const count = 10;
const length = 8;
/** Without 0, O, 1 and I, which people mix up. */
const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** Ten distinct codes; shown once. */
export function newBackupCodes(random: Random): string[] {
  const codes = new Set<string>();
  while (codes.size < count) codes.add(random.characters(alphabet, length));
  return [...codes];
}

/**
 * What is stored of a backup code. Case and separators are forgiven. Forty random bits behind a limit of guesses need no stretching, and the form
 * is the one existing databases hold.
 */
export function hashBackupCode(code: string): string {
  const plain = code.toUpperCase().replace(/[\s-]/g, "");
  return createHash("sha256").update(plain).digest("hex");
}
