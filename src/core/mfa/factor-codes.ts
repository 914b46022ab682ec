import { Type } from "typebox";
import type { Platform } from "../platform.ts";
import { createChallenges } from "../verification/challenges.ts";
import { hashToken } from "../verification/secrets.ts";

/** Seconds a code of a second factor lives. */
export const factorCodeTtl = 600;
/** Wrong guesses before a code dies. */
export const maxWrongCodes = 5;

/** Whom a code was sent to, and over what. */
export interface CodeTarget {
  readonly method: "email" | "sms";
  readonly destination: string;
}

/** One-time codes of one purpose; at most one an owner. */
export interface FactorCodes {
  /** A new code; an older one is dead. */
  issue(owner: string, target: CodeTarget): Promise<string>;
  /** Uses the code up when it is right and was sent to this target: of many callers exactly one is told so. */
  consume(owner: string, target: CodeTarget, code: string): Promise<boolean>;
}

const targetSchema = Type.Object({
  method: Type.Union([Type.Literal("email"), Type.Literal("sms")]),
  destination: Type.String(),
});

export function createFactorCodes(
  platform: Pick<Platform, "config" | "random" | "clock" | "ephemeral">,
  purpose: string,
): FactorCodes {
  const { ephemeral } = platform;
  const challenges = createChallenges(platform, `2fa:${purpose}`, factorCodeTtl, targetSchema);
  const attemptsKey = (owner: string): string => `auth:2fa:${purpose}:attempts:${hashToken(owner)}`;

  return {
    async issue(owner, target) {
      await ephemeral.delete(attemptsKey(owner));
      return (await challenges.issue(owner, { ...target })).code;
    },

    async consume(owner, target, code) {
      // Counted before it is looked at, so that guesses made at once cannot outnumber the limit.
      const attempt = await ephemeral.increment(attemptsKey(owner), factorCodeTtl);
      if (attempt > maxWrongCodes) return false;
      const found = await challenges.find(owner);
      const meant =
        found?.payload.method === target.method && found.payload.destination === target.destination;
      const taken = meant ? await challenges.takeByCode(owner, code) : undefined;
      if (taken === undefined) {
        if (attempt === maxWrongCodes) await challenges.drop(owner);
        return false;
      }
      await ephemeral.delete(attemptsKey(owner));
      return true;
    },
  };
}
