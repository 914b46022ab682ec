import { Type } from "typebox";
import { schemaCheck } from "../../platform/schema-check.ts";
import type { Platform } from "../platform.ts";
import { CeremonyFailure } from "./credentials.ts";

/** Seconds between begin and finish. */
const lifetime = 600;

const shape = schemaCheck(
  Type.Object({
    kind: Type.Union([Type.Literal("registration"), Type.Literal("login")]),
    userId: Type.Optional(Type.String()),
  }),
);

const key = (challenge: string): string => `auth:passkey:${challenge}`;
/** 32 bytes in base64url: nothing else is worth a look-up. */
const challengeText = /^[A-Za-z0-9_-]{43}$/;

/** Challenges waiting for their answer. Each is good once, for one kind of ceremony. */
export interface Ceremonies {
  /** The new challenge, in base64url. `userId` is who registers. */
  begin(kind: "registration", userId: string): Promise<string>;
  begin(kind: "login"): Promise<string>;
  /** Spends the challenge: of many callers exactly one gets it. Throws {@link CeremonyFailure}. */
  take(kind: "registration" | "login", challenge: string, userId?: string): Promise<void>;
}

export function createCeremonies({ ephemeral, random }: Pick<Platform, "ephemeral" | "random">): Ceremonies {
  return {
    async begin(kind: "registration" | "login", userId?: string) {
      const challenge = random.token(32);
      await ephemeral.set(key(challenge), JSON.stringify({ kind, userId }), lifetime);
      return challenge;
    },

    async take(kind, challenge, userId) {
      const text = challengeText.test(challenge) ? await ephemeral.take(key(challenge)) : undefined;
      const stored: unknown = text === undefined ? undefined : JSON.parse(text);
      if (!shape.matches(stored)) throw new CeremonyFailure("the challenge is unknown, expired or spent");
      if (stored.kind !== kind || stored.userId !== userId)
        throw new CeremonyFailure("the challenge belongs to another ceremony");
    },
  };
}
