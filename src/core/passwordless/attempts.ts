import type { EphemeralStore } from "../../platform/ephemeral/port.ts";
import { hashToken } from "../verification/secrets.ts";

/** Wrong codes for one contact before its code dies. */
const maxWrongCodes = 5;
/** Seconds, as long as a code lives. */
const ttl = 600;

/** Counts guesses at the codes of a contact, whether it has one or not. */
export interface PasswordlessAttempts {
  /**
   * Counts a guess before it is looked at, so that guesses made at once cannot outnumber the limit. `last` is the one guess whose failure
   * kills the code: one that was never looked at must not, or it would overtake a right one that came before it.
   */
  begin(channel: string, address: string): Promise<{ readonly allowed: boolean; readonly last: boolean }>;
  clear(channel: string, address: string): Promise<void>;
}

export function createPasswordlessAttempts(ephemeral: EphemeralStore): PasswordlessAttempts {
  const key = (channel: string, address: string): string =>
    `auth:passwordless:attempts:${channel}:${hashToken(address)}`;
  return {
    async begin(channel, address) {
      const count = await ephemeral.increment(key(channel, address), ttl);
      return { allowed: count <= maxWrongCodes, last: count === maxWrongCodes };
    },
    clear: (channel, address) => ephemeral.delete(key(channel, address)),
  };
}
