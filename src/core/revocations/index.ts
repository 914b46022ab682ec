import type { Platform } from "../platform.ts";
import { createAccessCheck } from "./access-check.ts";
import { decodeMessage, revocationsChannel } from "./message.ts";
import { createOutbox } from "./outbox.ts";
import { createRecentIds } from "./recent-ids.ts";
import { revocationsStore } from "./store.ts";
import type { Revocations } from "./types.ts";

export type { Access, Revocations } from "./types.ts";

/** Milliseconds between comparisons with the database, should a message have been lost. */
const defaultResync = 30_000;
/** Clocks of nodes and transactions under way: how far back a comparison looks beyond the last one, milliseconds. */
const overlap = 60_000;
/** Ids held of each kind; about 80 bytes each. */
const capacity = 250_000;
/** Longest life of a token that names a user, in seconds, whatever is configured: enrolment tokens. */
const enrollmentSeconds = 600;

/**
 * Revocations of this process. The sets are only a filter: whoever is in them is checked against PostgreSQL, so a ban that was lifted,
 * has ended or never committed refuses nobody.
 */
export function createRevocations(
  platform: Pick<Platform, "config" | "database" | "bus" | "clock" | "log">,
  options: { readonly resyncMs?: number } = {},
): Revocations {
  const { config, database, bus, clock } = platform;
  const log = platform.log.child({ room: "revocations" });
  const tokenLifetime =
    (Math.max(config.tokens.accessTtlSeconds, enrollmentSeconds) + config.tokens.skewSeconds) * 1000 +
    overlap;
  const users = createRecentIds(clock, tokenLifetime, capacity);
  const sessions = createRecentIds(clock, tokenLifetime, capacity);
  const check = createAccessCheck(database, clock);
  const outbox = createOutbox(bus, log);

  /** Whether the sets hold everything they should. */
  let complete = false;
  /** Start of the last comparison that succeeded, on the monotonic clock. */
  let comparedAt = Number.NEGATIVE_INFINITY;
  let comparing: Promise<void> | undefined;
  let interruptions = 0;
  let unsubscribe: (() => Promise<void>) | undefined;
  let timer: NodeJS.Timeout | undefined;

  function changed(userId: string): void {
    users.add(userId);
    check.forget(userId);
  }

  async function read(): Promise<void> {
    const interruption = interruptions;
    const startedAt = clock.monotonic();
    const past = Math.min(tokenLifetime, startedAt - comparedAt + overlap) / 1000;
    const [shutOut, ended] = await Promise.all([
      revocationsStore.users(database, past),
      revocationsStore.sessions(database, past),
    ]);
    for (const id of shutOut) changed(id);
    for (const id of ended) sessions.add(id);
    comparedAt = startedAt;
    if (interruption === interruptions && bus.connected()) complete = true;
  }

  /** Compares with the database; a comparison under way when the feed came back began too early and is followed by another. */
  function compare(): Promise<void> {
    comparing ??= read()
      .catch((error: unknown) =>
        log.warn({ err: error }, "revocations could not be compared with the database"),
      )
      .finally(() => {
        comparing = undefined;
      });
    return comparing;
  }

  function interrupted(): void {
    interruptions++;
    complete = false;
    void (comparing ?? Promise.resolve()).then(compare);
  }

  function certain(): boolean {
    if (!bus.connected()) complete = false;
    return complete && !users.overflowed() && !sessions.overflowed();
  }

  function isSuspect(userId: string, sessionId: string | undefined): boolean {
    return users.has(userId) || (sessionId !== undefined && sessions.has(sessionId));
  }

  return {
    isSuspect,
    confirm: check.ask,

    async start() {
      // A start that failed half-way is repeated.
      unsubscribe ??= await bus.subscribe(revocationsChannel, (text) => {
        const message = decodeMessage(text);
        if (message === undefined) {
          log.warn({}, "a message on the revocations channel is not understood");
          return;
        }
        for (const id of message.users) changed(id);
        for (const id of message.sessions) sessions.add(id);
      });
      if (timer === undefined) {
        bus.onReconnect(interrupted);
        timer = setInterval(() => void compare(), options.resyncMs ?? defaultResync);
        timer.unref();
      }
      await compare();
    },

    access(userId, sessionId) {
      if (sessionId !== undefined && sessions.has(sessionId)) {
        // The session is over for good; the account may be, too, and that is then the reason to give.
        return check.ask(userId, sessionId).catch(() => "token_revoked");
      }
      if (certain() && !users.has(userId)) return "admitted";
      return check.ask(userId, sessionId);
    },

    async revokeUser(userId) {
      changed(userId);
      await outbox.user(userId);
    },

    async readmitUser(userId) {
      check.forget(userId);
      await outbox.user(userId);
    },

    async revokeSession(sessionId) {
      sessions.add(sessionId);
      await outbox.session(sessionId);
    },

    async close() {
      clearInterval(timer);
      await unsubscribe?.();
      await outbox.close();
      await comparing;
    },
  };
}
