import { AuthError } from "../../contract/errors/index.ts";
import { zeroTime } from "../../contract/time.ts";
import { mintDelegatedAccessToken } from "./mint-delegated.ts";
import type { MintContext } from "./mint-input.ts";

const shortestSeconds = 60;
const defaultSeconds = 900;
const longestSeconds = 3600;

export interface OwnDelegation {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface DelegationWish {
  /** 0 or less = the default. */
  readonly ttlSeconds: number;
  /** Empty = all that are configured. */
  readonly audiences: readonly string[];
}

/**
 * A delegated token a user asks for himself (spec 30 §1.6). Lives 15 minutes when nothing is asked for, else between one minute and one hour;
 * is for the asked-for of the configured audiences, or for all of them. Throws `invalid_audiences`, `delegated_mint_failed`.
 */
export function mintOwnDelegation(
  context: MintContext,
  userId: string,
  asked: DelegationWish,
): OwnDelegation {
  const configured = context.config.delegation?.audiences ?? [];
  const wanted = [...new Set(asked.audiences.map((audience) => audience.trim()))];
  if (wanted.some((audience) => !configured.includes(audience))) throw new AuthError("invalid_audiences");
  const seconds =
    asked.ttlSeconds <= 0
      ? defaultSeconds
      : Math.min(Math.max(asked.ttlSeconds, shortestSeconds), longestSeconds);
  const expiresAt = new Date((context.clock.epochSeconds() + seconds) * 1000);
  try {
    const token = mintDelegatedAccessToken(context, {
      ...{
        issuer: "",
        delegatedSubject: userId,
        jti: "",
        permissions: [],
        roles: [],
        attributes: {},
        documents: {},
      },
      ...{
        audiences: wanted.length === 0 ? [...configured] : wanted,
        ttl: seconds * 1e9,
        notBefore: zeroTime(),
      },
    });
    return { token, expiresAt };
  } catch (cause) {
    throw new AuthError("delegated_mint_failed", { cause });
  }
}
