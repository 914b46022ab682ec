import type { EphemeralStore } from "../../platform/ephemeral/port.ts";
import { type ContactChannel, verificationTtl } from "./messages.ts";
import { hashToken } from "./secrets.ts";

/** Wrong codes for one address before the code dies. */
export const maxWrongCodes = 5;

/**
 * Counts guesses at the code of an address. A guess is counted before it is looked at, so that guesses made at once cannot outnumber the
 * limit; a right one clears the count.
 */
export interface CodeAttempts {
  /**
   * `allowed` is false when the guess is one too many and must not be looked at. `last` is the one guess whose failure kills the code: one
   * that was never looked at must not, or it would overtake a right one that came before it.
   */
  begin(
    channel: ContactChannel,
    address: string,
  ): Promise<{ readonly allowed: boolean; readonly last: boolean }>;
  clear(channel: ContactChannel, address: string): Promise<void>;
}

export function createCodeAttempts(ephemeral: EphemeralStore): CodeAttempts {
  const key = (channel: ContactChannel, address: string): string =>
    `auth:${channel}_verify:attempts:${hashToken(address)}`;

  return {
    async begin(channel, address) {
      const count = await ephemeral.increment(key(channel, address), verificationTtl[channel]);
      return { allowed: count <= maxWrongCodes, last: count === maxWrongCodes };
    },
    clear: (channel, address) => ephemeral.delete(key(channel, address)),
  };
}
