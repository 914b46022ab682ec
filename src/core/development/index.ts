import { timingSafeEqual } from "node:crypto";
import { AuthError } from "../../contract/errors/index.ts";
import type { Platform } from "../platform.ts";
import type { Tokens } from "../tokens/index.ts";

export interface DevelopmentTokenRequest {
  readonly subject: string;
  readonly audience: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly globalRoles: readonly string[];
  readonly entitlements: readonly string[];
  /** 0 or less = an hour; no upper bound. */
  readonly lifetimeSeconds: number;
}

export interface DevelopmentToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Access tokens for any subject, for front ends under development. Behind a secret, and absent outside the development class. */
export interface DevelopmentMint {
  /** Whether this is the configured secret; false when none is. Takes the same time wherever the two differ. */
  knows(secret: string): boolean;
  /** Signs exactly these claims: what is reserved elsewhere is not here. Throws `invalid_request` and `missing_signer`. */
  issue(request: DevelopmentTokenRequest): DevelopmentToken;
}

const defaultLifetime = 3_600;

export function createDevelopmentMint(
  { config, clock }: Pick<Platform, "config" | "clock">,
  tokens: Pick<Tokens, "sign">,
): DevelopmentMint {
  const { mintSecret } = config.development;
  return {
    knows(secret) {
      if (mintSecret === undefined || config.environment.class !== "development") return false;
      const [given, expected] = [Buffer.from(secret), Buffer.from(mintSecret)];
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
    issue({ subject, audience, email, roles, globalRoles, entitlements, lifetimeSeconds }) {
      const iat = clock.epochSeconds();
      const exp = iat + (lifetimeSeconds > 0 ? lifetimeSeconds : defaultLifetime);
      const expiresAt = new Date(exp * 1000);
      if (Number.isNaN(expiresAt.getTime())) throw new AuthError("invalid_request");
      const claims = {
        iss: config.issuer,
        sub: subject,
        aud: [audience],
        iat,
        exp,
        ...(email === "" ? {} : { email }),
        ...(roles.length === 0 ? {} : { roles }),
        ...(globalRoles.length === 0 ? {} : { global_roles: globalRoles }),
        ...(entitlements.length === 0 ? {} : { entitlements }),
      };
      return { token: tokens.sign("access+jwt", claims), expiresAt };
    },
  };
}
