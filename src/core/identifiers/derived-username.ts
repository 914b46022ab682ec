import type { Random } from "../../platform/random.ts";
import { usernameMaxBytes, usernameMinBytes } from "./username.ts";

const max = usernameMaxBytes.interactive;
const numbered = 999;

/** What a username may be derived from, best first. */
export interface UsernameSource {
  /** The name the identity provider states. */
  readonly preferred?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly displayName?: string | null | undefined;
  /** E.164 number; used for accounts made from an SMS code. */
  readonly phone?: string | null | undefined;
  /** Slug of the provider; the last resort is `<provider>_user`. */
  readonly provider?: string | null | undefined;
}

/** The base name of a source: lower case, `[a-z0-9_]`, starting with a letter, 4–30 characters. */
export function usernameBase(source: UsernameSource): string {
  const at = source.email?.indexOf("@") ?? -1;
  const local = at > 0 ? source.email?.slice(0, at) : source.email;
  const texts = [source.preferred, local, source.displayName].filter(
    (text) => text != null && text.trim() !== "",
  );
  const phoneDigits = source.phone?.replace(/[^0-9]/g, "").replace(/^0+/, "");
  const text = texts[0] ?? (phoneDigits ? `u${phoneDigits}` : `${source.provider || "new"}_user`);
  let base = text.toLowerCase().replace(/[^a-z0-9_]/g, "") || "user";
  if (!/^[a-z]/.test(base)) base = `u${base}`;
  base = base.slice(0, max);
  return base.length < usernameMinBytes ? `${base}_user` : base;
}

/** The base itself, then base+1 … base+999, each at most 30 characters, in order of preference. */
export function usernameCandidates(base: string): string[] {
  const names = [base];
  for (let i = 1; i <= numbered; i++) names.push(suffixed(base, String(i)));
  return names;
}

/** Base and six random characters: practically free, for when every numbered candidate is taken. */
export function randomUsername(base: string, random: Random): string {
  return suffixed(base, random.characters("abcdefghijklmnopqrstuvwxyz0123456789", 6));
}

function suffixed(base: string, suffix: string): string {
  return base.slice(0, max - suffix.length) + suffix;
}
