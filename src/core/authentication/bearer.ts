import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Log } from "../../platform/log/port.ts";
import { isUuid } from "../identifiers/index.ts";
import type { Revocations } from "../revocations/types.ts";
import { apiKeyMarker, parseApiKey } from "./api-key-text.ts";
import { delegatedPrincipal, remoteApplicationPrincipal } from "./application-principals.ts";
import type { Principal, UserPrincipal } from "./principal.ts";
import type { ApiKeyResolver } from "./resolvers.ts";
import { userPrincipal } from "./user-principal.ts";
import { createVerifiedTokens } from "./verified-tokens.ts";
import { createJwtVerifier, type JwtVerifierContext, type VerifiedJwt } from "./verify-jwt.ts";

export interface AuthenticatorContext extends JwtVerifierContext {
  readonly revocations: Pick<Revocations, "access" | "confirm">;
  readonly log: Log;
  readonly apiKeys?: ApiKeyResolver | undefined;
}

/** Turns an `Authorization` header into a principal. */
export interface Authenticator {
  /**
   * Synchronous for a user token seen before; a promise when something has to be looked up.
   *
   * Throws (or rejects with) `missing_token` without a bearer; `invalid_token`, `token_revoked`, `token_expired` for API keys; the verifier's
   * reason for JWTs; `user_disabled` when the account may not be used and `token_revoked` when the session was ended.
   */
  authenticate(authorizationHeader: string | undefined): Principal | Promise<Principal>;
}

/** The token of an `Authorization: Bearer` header (scheme in any case); undefined for another scheme, a blank token or no header. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const space = header.indexOf(" ");
  if (space < 0 || header.slice(0, space).toLowerCase() !== "bearer") return undefined;
  const token = header.slice(space + 1).trim();
  return token === "" ? undefined : token;
}

export function createAuthenticator(context: AuthenticatorContext): Authenticator {
  const { config, keyring, revocations, clock, log, apiKeys, remoteApplications } = context;
  const verifier = createJwtVerifier(context);
  const verified = createVerifiedTokens();
  const marker = apiKeyMarker(config.apiKeys.prefix);
  // The development mint signs for any id; elsewhere only existing accounts ever get a token.
  const unknownUsersPossible = config.development.mintSecret !== undefined;

  function admit(principal: UserPrincipal): Principal | Promise<Principal> {
    const access = revocations.access(principal.userId, principal.sessionId);
    if (access === "admitted") return principal;
    if (typeof access === "string") throw new AuthError(access);
    return access.then((decided) => {
      if (decided !== "admitted") throw new AuthError(decided);
      return principal;
    });
  }

  function admitUser(token: string, jwt: VerifiedJwt): Principal | Promise<Principal> {
    const principal = userPrincipal(jwt.claims);
    if (!isUuid(principal.userId)) throw new AuthError("user_disabled");
    const remember = (): Principal | Promise<Principal> => {
      if (jwt.keys !== undefined) verified.put(token, { principal, expires: jwt.expires, keys: jwt.keys });
      return admit(principal);
    };
    if (!unknownUsersPossible) return remember();
    return revocations.confirm(principal.userId).then((access) => {
      if (access !== "admitted") throw new AuthError(access);
      return remember();
    });
  }

  async function admitApplication(jwt: VerifiedJwt): Promise<Principal> {
    const { application, claims } = jwt;
    if (application === undefined || remoteApplications === undefined) {
      // Our own issuer is no application: tokens minted for others to accept are not accepted here.
      throw new AuthError(jwt.class === "remote_application" ? "bad_issuer" : "invalid_token");
    }
    const authority = await remoteApplications
      .authority(application.applicationId)
      .catch((cause: unknown) => {
        log.warn(
          { err: cause, application: application.slug },
          "authority of an application could not be read",
        );
        throw isAuthError(cause, "service_unavailable") ? cause : new AuthError("invalid_token", { cause });
      });
    return jwt.class === "delegated"
      ? delegatedPrincipal(claims, application, authority)
      : remoteApplicationPrincipal(claims, application, authority);
  }

  function admitVerified(token: string, jwt: VerifiedJwt): Principal | Promise<Principal> {
    return jwt.class === "user" ? admitUser(token, jwt) : admitApplication(jwt);
  }

  function authenticateApiKey(token: string): Promise<Principal> {
    const key = parseApiKey(token, marker);
    if (key === undefined || apiKeys === undefined) throw new AuthError("invalid_token");
    return apiKeys.resolve(key.keyId, key.secret);
  }

  return {
    authenticate(header) {
      const token = bearerToken(header);
      if (token === undefined) throw new AuthError("missing_token");
      const known = verified.get(token, keyring.current());
      if (known !== undefined) {
        if (known.expires >= clock.epochSeconds() - config.tokens.skewSeconds) return admit(known.principal);
        verified.delete(token);
        throw new AuthError("token_expired");
      }
      if (token.startsWith(marker)) return authenticateApiKey(token);
      const jwt = verifier.verify(token);
      if (jwt instanceof Promise) return jwt.then((found) => admitVerified(token, found));
      return admitVerified(token, jwt);
    },
  };
}
