import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { createPayloadCipher } from "../../platform/queue/payload-cipher.ts";
import { schemaCheck } from "../../platform/schema-check.ts";
import type { Platform } from "../platform.ts";
import type { TokenGrant } from "../sessions/types.ts";
import { hashToken } from "../verification/secrets.ts";

/** Seconds a front end has to fetch its tokens. */
const lifetime = 60;
const purpose = "oidc result";

/** What a sign-in came to, waiting for the front end to fetch it. */
export interface HandedOver {
  readonly grant: Pick<TokenGrant, "accessToken" | "refreshToken" | "expiresIn">;
  readonly user: { readonly id: string; readonly email: string };
}

/** One-time codes that stand for tokens where those must not pass through an address bar. */
export interface ResultCodes {
  issue(result: HandedOver): Promise<string>;
  /** The result, once. Throws `invalid_or_expired_code`. */
  redeem(code: string): Promise<HandedOver>;
}

const stored = schemaCheck(
  Type.Object({
    accessToken: Type.String(),
    refreshToken: Type.String(),
    expires: Type.Number(),
    user: Type.Object({ id: Type.String(), email: Type.String() }),
  }),
);

export function createResultCodes({
  ephemeral,
  random,
  clock,
}: Pick<Platform, "ephemeral" | "random" | "clock">): ResultCodes {
  const key = (code: string): string => `auth:oidc:result:${hashToken(code)}`;
  // The code is the key: whoever reads the store finds neither it nor the tokens.
  const cipher = (code: string) => createPayloadCipher(Buffer.from(code), random);

  return {
    async issue({ grant, user }) {
      const code = random.token(32);
      const { accessToken, refreshToken, expiresIn } = grant;
      const record = { accessToken, refreshToken, expires: clock.epochSeconds() + expiresIn, user };
      await ephemeral.set(key(code), cipher(code).seal(purpose, record).sealed, lifetime);
      return code;
    },

    async redeem(code) {
      const sealed = code === "" ? undefined : await ephemeral.take(key(code));
      const record = sealed === undefined ? undefined : cipher(code).open(purpose, { sealed });
      if (!stored.matches(record)) throw new AuthError("invalid_or_expired_code");
      const { accessToken, refreshToken, expires, user } = record;
      const expiresIn = Math.max(0, expires - clock.epochSeconds());
      return { grant: { accessToken, refreshToken, expiresIn }, user };
    },
  };
}
