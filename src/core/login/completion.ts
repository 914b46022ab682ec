import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { CallContext } from "../platform.ts";
import type { OpenSession, SessionOutcome, Sessions, SubjectReading } from "../sessions/types.ts";
import type { Users } from "../users/types.ts";
import type { NewDevices } from "./new-devices.ts";
import type { LoginCompletion, SecondFactorChallenges, VerificationGate } from "./types.ts";

export interface CompletionParts {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly secondFactors: SecondFactorChallenges;
  readonly verification: VerificationGate;
  readonly newDevices: NewDevices;
}

/** One way from a proven first factor to tokens, shared by password, passwordless, federation, wallet and passkeys. */
export function createLoginCompletion(parts: CompletionParts): LoginCompletion {
  const { users, sessions, secondFactors, verification, newDevices } = parts;

  async function open(
    session: OpenSession,
    context: CallContext,
    reading: SubjectReading | undefined,
  ): Promise<SessionOutcome> {
    try {
      return await sessions.open(session, context, reading);
    } catch (cause) {
      // Whoever signs in is not told which part of the server lacks what.
      throw isAuthError(cause, "missing_signer") ? new AuthError("token_issue_failed", { cause }) : cause;
    }
  }

  return {
    async complete(user, proven, context) {
      const admitted = await users.admitRow(user);
      if (proven.skipVerification !== true) {
        const held = await verification.holdBack(admitted, context);
        if (held !== undefined) return held;
      }
      let reading: SubjectReading | undefined;
      if (proven.satisfiesMfa !== true) {
        // Most accounts have no second factor: what their session needs is asked for in the same write.
        reading = sessions.read(admitted.id);
        const challenge = await secondFactors.begin(admitted, proven, context);
        if (challenge !== undefined) {
          await users.touchLogin(admitted.id);
          return challenge;
        }
      }
      const outcome = await open(
        {
          userId: admitted.id,
          methods: proven.methods,
          origin: proven.origin,
          ...(proven.extraClaims === undefined ? {} : { extraClaims: proven.extraClaims }),
        },
        context,
        reading,
      );
      // A session's own row change has set the time already.
      if (outcome.kind !== "granted") await users.touchLogin(admitted.id);
      else await newDevices.notice(admitted, outcome.sessionId, context);
      return outcome;
    },
  };
}
