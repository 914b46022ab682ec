import { AuthError } from "../../contract/errors/index.ts";
import type { Queryable } from "../../platform/postgres/port.ts";
import type { MfaStates } from "../mfa/types.ts";
import type { Platform } from "../platform.ts";
import type { IssuedToken, Tokens } from "../tokens/types.ts";
import { decideAccess } from "../users/access.ts";
import type { Users } from "../users/types.ts";
import { type SubjectRow, subjectMfaEnrolled, subjectMfaGate } from "./subject.ts";
import type { EnrollmentHandOff } from "./types.ts";

/** Distinct, lower-case, trimmed authentication methods; `pwd` when there are none. */
export function authenticationMethods(methods: readonly string[]): string[] {
  const distinct = new Set(
    methods.map((method) => method.trim().toLowerCase()).filter((method) => method !== ""),
  );
  return distinct.size === 0 ? ["pwd"] : [...distinct];
}

export interface SessionFacts {
  readonly id: string;
  readonly authenticatedAt: Date;
  readonly methods: readonly string[];
}

/** The gates in front of every token of a session, and the tokens. */
export interface Issuing {
  /**
   * The account may be used: an ended ban is cleared first. Throws `user_banned`. True when the row read has become stale by that.
   * Pass the transaction that holds the account's row, if one does.
   */
  admit(subject: SubjectRow, on?: Queryable): Promise<boolean>;
  /** Undefined when the session may have its token; else what to hand out instead. */
  handOff(subject: SubjectRow, methods: readonly string[]): EnrollmentHandOff | undefined;
  accessToken(
    subject: SubjectRow,
    session: SessionFacts,
    extra?: Readonly<Record<string, unknown>> | undefined,
  ): IssuedToken;
  secondsLeft(expiresAt: Date): number;
}

export function createIssuing(
  platform: Pick<Platform, "config" | "clock">,
  users: Pick<Users, "clearLapsedBan">,
  mfaStates: Pick<MfaStates, "availableMethods">,
  tokens: Tokens,
): Issuing {
  const { config, clock } = platform;

  function secondsLeft(expiresAt: Date): number {
    return Math.max(0, Math.floor((expiresAt.getTime() - clock.millis()) / 1000));
  }

  return {
    secondsLeft,

    async admit(subject, on) {
      const decision = decideAccess(subject, clock.now());
      if (decision === "refused") throw new AuthError("user_banned");
      if (decision === "admitted") return false;
      await users.clearLapsedBan(subject.userId, on);
      return true;
    },

    handOff(subject, methods) {
      const gate = subjectMfaGate(config, subject, methods);
      if (gate === "pass") return undefined;
      const { token, expiresAt } = tokens.enrollmentToken(subject.userId);
      return {
        kind: "enrollment_required",
        userId: subject.userId,
        secondFactorEnrolled: gate === "second_factor",
        methods,
        allowedMethods: mfaStates.availableMethods(),
        accessToken: token,
        expiresIn: secondsLeft(expiresAt),
      };
    },

    accessToken(subject, session, extra) {
      return tokens.accessToken({
        userId: subject.userId,
        session,
        mfaEnrolled: subjectMfaEnrolled(config, subject),
        extra,
      });
    },
  };
}
