import type { Session } from "../../contract/dtos/index.ts";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { parseUserId } from "../../core/identifiers/index.ts";
import { RefreshTokenReused, type SessionRow } from "../../core/sessions/index.ts";
import type { HandlerFactory } from "./index.ts";

export function sessionDto(session: SessionRow): Session {
  return {
    id: session.id,
    familyId: session.familyId,
    createdAt: session.createdAt,
    lastAuthenticatedAt: session.lastAuthenticatedAt,
    lastUsedAt: session.lastUsedAt,
    expiresAt: session.expiresAt,
    revokedAt: session.revokedAt,
    userAgent: session.userAgent,
    ipAddr: session.ip,
  };
}

/** The earlier generation tells apart, in sentences, what browsers are told in one code. */
function refreshRefusal(error: unknown): unknown {
  if (!isAuthError(error, "invalid_refresh_token")) return error;
  const reused = error.cause instanceof RefreshTokenReused;
  return new AuthError(reused ? "refresh token reuse detected" : "invalid refresh token", { cause: error });
}

/** Sessions of a user. */
export const sessionHandlers: HandlerFactory = ({ sessions }) => ({
  listUserSessions: async ({ userId }) => (await sessions.list(parseUserId(userId))).map(sessionDto),
  revokeAllSessions: async ({ userId, keepSessionId }, { callContext }) => {
    const keep = keepSessionId ?? undefined;
    await sessions.revokeAll(parseUserId(userId), "user_revoke_all", callContext, { keep });
  },
  exchangeRefreshToken: async ({ refreshToken, ua, ip }, { callContext }) => {
    // The session belongs to an end user behind the caller: their address and agent are the ones to remember.
    const context = { ...callContext, userAgent: ua, ip: ip ?? undefined };
    const outcome = await sessions.refresh(refreshToken, context).catch((error: unknown) => {
      throw refreshRefusal(error);
    });
    if (outcome.kind !== "granted") throw new AuthError("2fa_enrollment_required");
    return {
      accessToken: outcome.accessToken,
      expiresAt: outcome.accessTokenExpiresAt,
      refreshToken: outcome.refreshToken,
    };
  },
});
