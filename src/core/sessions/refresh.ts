import { AuthError } from "../../contract/errors/index.ts";
import { storedAddress, storedUserAgent } from "../audit/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { authenticationMethods, type Issuing, type SessionFacts } from "./issue.ts";
import { hashRefreshToken, looksLikeRefreshToken, openSuccessor, sealSuccessor } from "./refresh-token.ts";
import type { SessionRevocation } from "./revocation.ts";
import { type RefreshRow, type RotatedRow, sessionStore } from "./store.ts";
import { rolesDemandingMfa } from "./subject.ts";
import type { SessionOutcome, TokenGrant } from "./types.ts";

/** Cause of an `invalid_refresh_token` that ended a family; only the management API tells its callers. */
export class RefreshTokenReused extends Error {
  override readonly name = "RefreshTokenReused";
}

export interface Refreshing {
  refresh(refreshToken: string, context: CallContext): Promise<SessionOutcome>;
  /** Session id of a live current refresh token of an account in good standing; throws `invalid_refresh_token`. */
  current(refreshToken: string): Promise<string>;
  /** Ends the session of a current or previous refresh token; one that is unknown, or has ended, ends nothing. */
  end(refreshToken: string): Promise<void>;
}

/**
 * Refresh with rotation (RFC 9700 §4.14.2): one read, signing, one compare-and-swap. A repeat of the predecessor within the grace window
 * gets the same successor and writes nothing; outside of it, it is reuse and ends the family.
 */
export function createRefreshing(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "log" | "metrics">,
  issuing: Issuing,
  revocation: SessionRevocation,
): Refreshing {
  const { config, database, clock, random, log } = platform;
  const graceSeconds = config.sessions.rotationGraceSeconds;
  const demanding = rolesDemandingMfa(config);
  const refreshes = platform.metrics.counter("authkit_refresh_total", "Refreshes, by result", ["result"]);

  function refused(result: string, cause?: RefreshTokenReused): AuthError {
    refreshes.add({ result });
    return new AuthError("invalid_refresh_token", { cause });
  }

  function facts(row: RefreshRow): SessionFacts {
    return {
      id: row.id,
      authenticatedAt: row.lastAuthenticatedAt ?? row.createdAt,
      methods: authenticationMethods(row.authMethods),
    };
  }

  /** Gates, then the access token; the hand-off when a gate asks for one. */
  async function grant(row: RefreshRow, refreshToken: string): Promise<SessionOutcome> {
    await issuing.admit(row);
    const session = facts(row);
    const handOff = issuing.handOff(row, session.methods);
    if (handOff !== undefined) return handOff;
    const access = issuing.accessToken(row, session);
    return {
      kind: "granted",
      userId: row.userId,
      sessionId: row.id,
      accessToken: access.token,
      accessTokenExpiresAt: access.expiresAt,
      expiresIn: issuing.secondsLeft(access.expiresAt),
      refreshToken,
    } satisfies TokenGrant;
  }

  function successorInGrace(row: RotatedRow, presented: string): string | undefined {
    if (graceSeconds <= 0 || row.sealed === null || row.secondsAgo === null) return undefined;
    // A rotation in the future: the database's clock was set back, and how long ago it was is not known.
    if (Math.abs(row.secondsAgo) > graceSeconds) return undefined;
    if (row.expiresAt !== null && row.expiresAt.getTime() <= clock.millis()) return undefined;
    const successor = openSuccessor(presented, row.sealed);
    return hashRefreshToken(successor).equals(row.currentHash) ? successor : undefined;
  }

  async function endFamily({ familyId, userId }: RotatedRow): Promise<void> {
    const revoke = () => revocation.family(familyId, userId, "refresh_reuse_detected");
    try {
      await revoke();
    } catch (err) {
      log.error({ err, familyId }, "revoking a reused refresh token's family failed; trying once more");
      try {
        await revoke();
      } catch (again) {
        log.fatal({ err: again, familyId }, "a reused refresh token's family could not be revoked");
      }
    }
  }

  async function withPredecessor(
    presented: string,
    hash: Buffer,
    raceLost: boolean,
  ): Promise<SessionOutcome> {
    const row = await sessionStore.byPrevious(database, hash, config.issuer, demanding);
    if (row === undefined) throw refused(raceLost ? "race_lost" : "unknown");
    const successor = successorInGrace(row, presented);
    if (successor !== undefined) {
      const outcome = await grant(row, successor);
      refreshes.add({ result: "grace" });
      return outcome;
    }
    // A request that held the current token when it looked has lost a race; it has not replayed anything.
    if (raceLost) throw refused("race_lost");
    await endFamily(row);
    log.warn(
      { familyId: row.familyId, sessionId: row.id },
      "a refresh token was used again; its session has ended",
    );
    throw refused("reused", new RefreshTokenReused());
  }

  return {
    async refresh(token, context) {
      const presented = token.trim();
      if (!looksLikeRefreshToken(presented)) throw refused("malformed");
      const hash = hashRefreshToken(presented);
      const at = clock.now();
      const row = await sessionStore.byCurrent(database, hash, config.issuer, demanding, at);
      if (row === undefined) return withPredecessor(presented, hash, false);

      const successor = random.token(32);
      // Signed before the rotation is committed, so that a signing failure does not cost the client its session.
      const outcome = await grant(row, successor);
      if (outcome.kind !== "granted") {
        refreshes.add({ result: "second_factor" });
        return outcome;
      }
      const rotated = await sessionStore.rotate(
        database,
        row,
        hash,
        {
          hash: hashRefreshToken(successor),
          sealed: graceSeconds > 0 ? sealSuccessor(presented, successor) : null,
        },
        { at, userAgent: storedUserAgent(context), ip: storedAddress(context) },
      );
      if (!rotated) return withPredecessor(presented, hash, true);
      refreshes.add({ result: "rotated" });
      return outcome;
    },

    async current(token) {
      const presented = token.trim();
      if (!looksLikeRefreshToken(presented)) throw new AuthError("invalid_refresh_token");
      const hash = hashRefreshToken(presented);
      const row = await sessionStore.byCurrent(database, hash, config.issuer, demanding, clock.now());
      if (row === undefined) throw new AuthError("invalid_refresh_token");
      await issuing.admit(row);
      return row.id;
    },

    async end(token) {
      const presented = token.trim();
      if (!looksLikeRefreshToken(presented)) return;
      const hash = hashRefreshToken(presented);
      const row =
        (await sessionStore.byCurrent(database, hash, config.issuer, demanding, clock.now())) ??
        // Whoever did not get the answer to a refresh has the predecessor only, and wants to be out all the same.
        (await sessionStore.byPrevious(database, hash, config.issuer, demanding));
      if (row !== undefined) await revocation.one(row.userId, row.id, "logout");
    },
  };
}
