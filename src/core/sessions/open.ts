import { AuthError } from "../../contract/errors/index.ts";
import type { Queryable } from "../../platform/postgres/port.ts";
import { loginCounter, storedAddress, storedUserAgent } from "../audit/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { authenticationMethods, type Issuing } from "./issue.ts";
import { hashRefreshToken } from "./refresh-token.ts";
import { announce, type RevocationFeed } from "./revocation-feed.ts";
import { sessionStore } from "./store.ts";
import { rolesDemandingMfa, type SubjectRow } from "./subject.ts";
import type { OpenSession, SessionOutcome, Sessions, SubjectReading } from "./types.ts";

const unlimited = 2_147_483_647;

export type Opening = Pick<Sessions, "open" | "read">;

/** Read the account, pass the gates, sign, write: two round trips unless the account changed in between. */
export function createOpen(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "log" | "metrics">,
  issuing: Issuing,
  feed: RevocationFeed,
): Opening {
  const { config, database, clock, random, log } = platform;
  const { maxPerUser, refreshTtlSeconds } = config.sessions;
  const demanding = rolesDemandingMfa(config);
  const logins = loginCounter(platform.metrics);

  type Read = (on: Queryable, userId: string, roles: readonly string[]) => Promise<SubjectRow | undefined>;

  async function attempt(
    on: Queryable,
    read: Read,
    asked: OpenSession,
    context: CallContext,
  ): Promise<{ readonly outcome: SessionOutcome; readonly evicted: readonly string[] } | undefined> {
    const subject = await read(on, asked.userId, demanding);
    if (subject === undefined) throw new AuthError("user_not_found");
    // Clearing a ban changes the account: look at it again.
    if (await issuing.admit(subject, on)) return undefined;
    const methods = authenticationMethods(asked.methods);
    const handOff = issuing.handOff(subject, methods);
    if (handOff !== undefined) return { outcome: handOff, evicted: [] };

    const at = clock.now();
    const id = random.uuid();
    const refreshToken = random.token(32);
    // Signed before anything is written, so that a missing signer leaves no session behind.
    const access = issuing.accessToken(subject, { id, authenticatedAt: at, methods }, asked.extraClaims);
    const evicted = await sessionStore.open(on, subject, config.issuer, {
      id,
      familyId: random.uuid(),
      tokenHash: hashRefreshToken(refreshToken),
      at,
      expiresAt: refreshTtlSeconds > 0 ? new Date(at.getTime() + refreshTtlSeconds * 1000) : null,
      userAgent: storedUserAgent(context),
      ip: storedAddress(context),
      methods,
      origin: asked.origin,
      others: maxPerUser > 0 ? maxPerUser - 1 : unlimited,
    });
    if (evicted === undefined) return undefined;
    return {
      evicted,
      outcome: {
        kind: "granted",
        userId: subject.userId,
        sessionId: id,
        accessToken: access.token,
        accessTokenExpiresAt: access.expiresAt,
        expiresIn: issuing.secondsLeft(access.expiresAt),
        refreshToken,
      },
    };
  }

  async function open(
    asked: OpenSession,
    context: CallContext,
    reading?: SubjectReading,
  ): Promise<SessionOutcome> {
    const written =
      (await attempt(
        database,
        reading === undefined ? sessionStore.subject : () => reading,
        asked,
        context,
      )) ??
      (await attempt(database, sessionStore.subject, asked, context)) ??
      // Contended: take turns on the account's row instead of racing for it.
      (await database.transaction(
        async (tx) =>
          (await attempt(tx, sessionStore.lockedSubject, asked, context)) ??
          attempt(tx, sessionStore.lockedSubject, asked, context),
      ));
    if (written === undefined) throw new Error("the account changed under its own lock");
    await announce(
      log,
      written.evicted.map((id) => () => feed.revokeSession(id)),
    );
    if (written.outcome.kind === "granted") logins.add({ method: asked.origin, result: "ok" });
    return written.outcome;
  }

  return {
    open,
    read(userId) {
      const reading = sessionStore.subject(database, userId, demanding);
      // A login may end before anybody asks for it.
      reading.catch(() => undefined);
      return reading;
    },
  };
}
