import type { Clock } from "../../platform/clock.ts";
import type { Database } from "../../platform/postgres/port.ts";
import { isUuid } from "../identifiers/index.ts";
import { decideAccess } from "../users/access.ts";
import { revocationsStore } from "./store.ts";
import type { Access } from "./types.ts";

/** Milliseconds an answer of the database is good for. */
const answerLifetime = 1_000;
const maxAnswers = 10_000;

interface Answer {
  readonly until: number;
  readonly access: Promise<Access>;
}

/** Asks PostgreSQL whether an account and a session may be used; simultaneous questions share one query, answers live a second. */
export interface AccessCheck {
  ask(userId: string, sessionId?: string | undefined): Promise<Access>;
  /** Forgets every answer about a user. */
  forget(userId: string): void;
}

export function createAccessCheck(database: Database, clock: Clock): AccessCheck {
  /** By user, then by session. */
  const answers = new Map<string, Map<string, Answer>>();
  let held = 0;

  async function read(userId: string, sessionId: string | undefined): Promise<Access> {
    if (!isUuid(userId)) return "user_disabled";
    const session = sessionId !== undefined && isUuid(sessionId) ? sessionId : null;
    const row = await revocationsStore.access(database, userId, session);
    if (row === undefined || decideAccess(row, clock.now()) === "refused") return "user_disabled";
    return row.sessionLive ? "admitted" : "token_revoked";
  }

  function forget(userId: string): void {
    held -= answers.get(userId)?.size ?? 0;
    answers.delete(userId);
  }

  return {
    forget,
    ask(userId, sessionId) {
      const key = sessionId ?? "";
      const known = answers.get(userId)?.get(key);
      if (known !== undefined && clock.monotonic() < known.until) return known.access;
      if (held >= maxAnswers) {
        answers.clear();
        held = 0;
      }
      const access = read(userId, sessionId);
      const ofUser = answers.get(userId) ?? new Map<string, Answer>();
      if (!ofUser.has(key)) held++;
      ofUser.set(key, { until: clock.monotonic() + answerLifetime, access });
      answers.set(userId, ofUser);
      // A failure is nobody's answer: the next question asks again.
      access.catch(() => forget(userId));
      return access;
    },
  };
}
