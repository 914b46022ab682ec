import { AuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/index.ts";
import { isUuid } from "../identifiers/index.ts";
import type { MfaStates } from "../mfa/types.ts";
import type { Platform } from "../platform.ts";
import type { Tokens } from "../tokens/types.ts";
import type { Users } from "../users/types.ts";
import { authenticationMethods, createIssuing } from "./issue.ts";
import { createOpen } from "./open.ts";
import { createRefreshing } from "./refresh.ts";
import { createSessionRevocation } from "./revocation.ts";
import type { RevocationFeed } from "./revocation-feed.ts";
import { sessionStore } from "./store.ts";
import { rolesDemandingMfa } from "./subject.ts";
import type { Sessions } from "./types.ts";

export { RefreshTokenReused } from "./refresh.ts";
export { hashRefreshToken } from "./refresh-token.ts";
export { createSessionRevocation, type SessionRevocation } from "./revocation.ts";
export { announce, type RevocationFeed } from "./revocation-feed.ts";
export { rolesDemandingMfa } from "./subject.ts";
export type {
  EnrollmentHandOff,
  OpenSession,
  RevocationReason,
  SessionOrigin,
  SessionOutcome,
  SessionRow,
  Sessions,
  SubjectReading,
  TokenGrant,
} from "./types.ts";

/** Sessions and refresh tokens. The only place that writes `refresh_sessions`. */
export function createSessions(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "log" | "metrics">,
  users: Pick<Users, "clearLapsedBan">,
  mfaStates: Pick<MfaStates, "availableMethods">,
  tokens: Tokens,
  audit: Audit,
  feed: RevocationFeed,
): Sessions {
  const { config, database, clock } = platform;
  const issuing = createIssuing(platform, users, mfaStates, tokens);
  const revocation = createSessionRevocation(platform, feed);
  const refreshing = createRefreshing(platform, issuing, revocation);
  const demanding = rolesDemandingMfa(config);

  return {
    ...createOpen(platform, issuing, feed),
    refresh: refreshing.refresh,
    current: refreshing.current,
    end: refreshing.end,

    async list(userId) {
      return isUuid(userId) ? sessionStore.live(database, userId, config.issuer, clock.now()) : [];
    },

    async find(userId, sessionId) {
      if (!isUuid(userId) || !isUuid(sessionId)) return undefined;
      return (await sessionStore.live(database, userId, config.issuer, clock.now(), sessionId))[0];
    },

    revoke: (userId, sessionId, reason) => revocation.one(userId, sessionId, reason),
    revokeAll: (userId, reason, _context, options) => revocation.all(userId, reason, options),

    async reauthenticate(userId, sessionId, addMethods, context) {
      if (!isUuid(userId) || !isUuid(sessionId)) throw new AuthError("unauthorized");
      return database.transaction(async (tx) => {
        const subject = await sessionStore.subject(tx, userId, demanding);
        if (subject === undefined) throw new AuthError("unauthorized");
        await issuing.admit(subject, tx);
        const authenticatedAt = clock.now();
        const session = { id: sessionId, userId, issuer: config.issuer };
        const proved = await sessionStore.prove(
          tx,
          session,
          authenticatedAt,
          authenticationMethods(addMethods),
        );
        if (proved === undefined) throw new AuthError("unauthorized");
        const methods = authenticationMethods(proved);
        const access = issuing.accessToken(subject, { id: sessionId, authenticatedAt, methods });
        await audit.record(
          {
            action: "session.reauthenticated",
            target: `user:${userId}`,
            outcome: "ok",
            details: { sessionId, methods: addMethods },
          },
          context,
          tx,
        );
        return {
          accessToken: access.token,
          expiresIn: issuing.secondsLeft(access.expiresAt),
          methods,
          authenticatedAt,
        };
      });
    },
  };
}
