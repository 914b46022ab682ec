import { Type } from "typebox";
import { AuthError, failingAs, isAuthError } from "../../contract/errors/index.ts";
import { schemaCheck } from "../../platform/schema-check.ts";
import type { Audit } from "../audit/index.ts";
import { isUuid } from "../identifiers/index.ts";
import type { LoginCompletion, OfferedFactor, ProvenFactor, SecondFactorRequired } from "../login/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { EnrollmentHandOff, SessionOrigin, SessionOutcome } from "../sessions/types.ts";
import { maskDestination } from "../step-up/mask.ts";
import type { UserRow, Users } from "../users/types.ts";
import { hashToken } from "../verification/secrets.ts";
import { addressee, type CodeDelivery } from "./delivery.ts";
import { createFactorCodes, maxWrongCodes } from "./factor-codes.ts";
import {
  addedMethods,
  chosenFactor,
  codeTarget,
  type Factor,
  isSameChannel,
  type SecondFactorProof,
} from "./proof.ts";
import type { MfaState, MfaStates } from "./types.ts";

/** Seconds between the first factor and the second. */
const challengeTtl = 600;
/** What is shown as the destination of a factor that receives nothing. */
const authenticator = "authenticator app";

const challengeSchema = Type.Object({
  userId: Type.String(),
  methods: Type.Array(Type.String()),
  origin: Type.String(),
  extraClaims: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

/** A login between its factors. */
interface StoredChallenge {
  readonly userId: string;
  readonly methods: readonly string[];
  readonly origin: SessionOrigin;
  readonly extraClaims?: Readonly<Record<string, unknown>>;
}

export type OfferedSecondFactor = Pick<
  SecondFactorRequired,
  "userId" | "challenge" | "defaultFactor" | "availableFactors"
>;

export interface ResentCode {
  readonly method: Factor["method"];
  /** Masked. */
  readonly verificationId: string;
  readonly factor: OfferedFactor;
}

export interface PresentedAtLogin {
  readonly userId: string;
  readonly challenge: string;
  readonly code: string;
  readonly factorId: string;
  readonly backupCode: boolean;
}

/** The second half of a login, whatever its first half was. */
export interface SecondFactorLogin {
  begin(user: UserRow, proven: ProvenFactor, context: CallContext): Promise<SecondFactorRequired | undefined>;
  /**
   * What a session that has not shown the second factor can go on with: a challenge, for which {@link SecondFactorLogin.resend} sends a code.
   * Nothing is sent here, since clients refresh by themselves. Undefined without factors.
   */
  offer(session: Pick<EnrollmentHandOff, "userId" | "methods">): Promise<OfferedSecondFactor | undefined>;
  /**
   * Sends a code for another factor, or again. Throws `invalid_challenge`, `challenge_verify_failed`, `2fa_send_failed`, `*_delivery_failed`.
   */
  resend(userId: string, challenge: string, factorId: string, context: CallContext): Promise<ResentCode>;
  /** Throws `invalid_challenge`, `challenge_verify_failed`, `invalid_code`, `user_banned`. */
  verify(presented: PresentedAtLogin, context: CallContext): Promise<SessionOutcome>;
}

export interface SecondFactorLoginParts {
  readonly users: Pick<Users, "byId">;
  readonly states: MfaStates;
  readonly delivery: CodeDelivery;
  readonly proof: SecondFactorProof;
  readonly audit: Audit;
  /** Asked for late: completion itself begins with this capability. */
  readonly completion: () => LoginCompletion;
}

function offered(factor: Factor): OfferedFactor {
  const { id, method, isDefault, phoneNumber } = factor;
  return {
    id,
    method,
    isDefault,
    // Whoever knows the password only is no reader of the number.
    phoneNumber: phoneNumber === null ? null : maskDestination(phoneNumber),
  };
}

/**
 * A message to the mailbox or phone that was the first factor proves nothing more, so such a factor is not offered – unless it is the only
 * one there is, which would lock its owner out.
 */
function withoutProven(state: MfaState, user: UserRow, methods: readonly string[]): MfaState {
  const factors = state.factors.filter((factor) => !isSameChannel(factor, user.phoneNumber, methods));
  return factors.length === 0 ? state : { ...state, factors };
}

const isOrigin = (text: string): text is SessionOrigin => text !== "";

export function createSecondFactorLogin(
  platform: Pick<Platform, "config" | "clock" | "random" | "ephemeral" | "log">,
  parts: SecondFactorLoginParts,
): SecondFactorLogin {
  const { config, ephemeral, random, log } = platform;
  const { users, states, delivery, proof, audit, completion } = parts;
  const codes = createFactorCodes(platform, "login");
  const shape = schemaCheck(challengeSchema);
  const key = (challenge: string): string => `auth:2fa:challenge:${hashToken(challenge)}`;
  const attemptsKey = (challenge: string): string => `${key(challenge)}:attempts`;

  async function read(challenge: string, userId: string): Promise<StoredChallenge> {
    const [text, attempts] = await failingAs("challenge_verify_failed", () =>
      Promise.all([ephemeral.get(key(challenge)), ephemeral.get(attemptsKey(challenge))]),
    );
    const stored: unknown = text === undefined ? undefined : JSON.parse(text);
    if (!shape.matches(stored) || !isOrigin(stored.origin) || stored.userId !== userId)
      throw new AuthError("invalid_challenge");
    if (Number(attempts ?? 0) >= maxWrongCodes) throw new AuthError("invalid_challenge");
    return { ...stored, origin: stored.origin };
  }

  async function failed(userId: string, reason: string, context: CallContext): Promise<void> {
    // Whatever text a stranger sends as an account's id is no part of the history.
    if (!isUuid(userId)) return;
    await audit.session(
      { event: "session_failed", userId, sessionId: "", method: "password_login_2fa", reason },
      context,
    );
  }

  function destination(factor: Factor, email: string | null): string {
    return maskDestination(codeTarget(factor, email)?.destination ?? authenticator);
  }

  async function send(user: UserRow, factor: Factor, challenge: string, context: CallContext): Promise<void> {
    if (factor.method === "totp") return;
    const target = codeTarget(factor, user.email);
    if (target === undefined) throw new AuthError("2fa_send_failed");
    await delivery.send("login_code", codes, challenge, target, addressee(user, context));
  }

  function store(challenge: string, userId: string, proven: ProvenFactor): Promise<void> {
    const stored: StoredChallenge = {
      userId,
      methods: proven.methods,
      origin: proven.origin,
      ...(proven.extraClaims === undefined ? {} : { extraClaims: proven.extraClaims }),
    };
    return ephemeral.set(key(challenge), JSON.stringify(stored), challengeTtl);
  }

  /** A challenge for a factor the login has not shown yet; undefined when there is none, or the deployment has them switched off. */
  async function open(user: UserRow, proven: ProvenFactor) {
    if (config.mfa.mode === "disabled") return undefined;
    const state = withoutProven(await states.of(user.id), user, proven.methods);
    const factor = chosenFactor(state, "");
    if (!state.enabled || factor === undefined) return undefined;
    const challenge = random.token(32);
    try {
      await store(challenge, user.id, proven);
    } catch (cause) {
      throw isAuthError(cause) ? cause : new AuthError("2fa_challenge_failed", { cause });
    }
    return { challenge, factor, state };
  }

  return {
    async offer({ userId, methods }) {
      const user = await users.byId(userId);
      // Whatever opened the session long ago, what is completed now is a login by two factors.
      const challenged = user && (await open(user, { methods, origin: "password_login" }));
      if (challenged === undefined) return undefined;
      const { challenge, factor, state } = challenged;
      return {
        userId,
        challenge,
        defaultFactor: offered(factor),
        availableFactors: state.factors.map(offered),
      };
    },

    async begin(user, proven, context) {
      const challenged = await open(user, proven);
      if (challenged === undefined) return undefined;
      const { challenge, factor, state } = challenged;
      let deliveryFailed = false;
      try {
        await send(user, factor, challenge, context);
      } catch (error) {
        // Somebody with another factor or a backup code is not locked out by a mail server.
        const another = state.factors.some(({ id }) => id !== factor.id) || state.backupCodes > 0;
        if (!another || isAuthError(error, "service_unavailable")) throw error;
        log.warn({ err: error, userId: user.id }, "the code of a second factor could not be sent");
        deliveryFailed = true;
      }
      return {
        kind: "second_factor_required",
        userId: user.id,
        method: factor.method,
        verificationId: destination(factor, user.email),
        challenge,
        defaultFactor: offered(factor),
        availableFactors: state.factors.map(offered),
        ...(deliveryFailed ? { deliveryFailed } : {}),
      };
    },

    async resend(userId, challenge, factorId, context) {
      const { methods } = await read(challenge, userId);
      const [user, state] = await Promise.all([users.byId(userId), states.of(userId)]);
      const factor =
        user === undefined ? undefined : chosenFactor(withoutProven(state, user, methods), factorId);
      if (user === undefined || !state.enabled || factor === undefined)
        throw new AuthError("2fa_send_failed");
      await send(user, factor, challenge, context);
      return {
        method: factor.method,
        verificationId: destination(factor, user.email),
        factor: offered(factor),
      };
    },

    async verify({ userId, challenge, code, factorId, backupCode }, context) {
      const stored = await read(challenge, userId).catch(async (error: unknown) => {
        if (isAuthError(error, "invalid_challenge")) await failed(userId, "invalid_challenge", context);
        throw error;
      });
      const attempt = await ephemeral.increment(attemptsKey(challenge), challengeTtl);
      if (attempt > maxWrongCodes) throw new AuthError("invalid_challenge");
      const [user, state] = await Promise.all([users.byId(userId), states.of(userId)]);
      const factor =
        user === undefined ? undefined : chosenFactor(withoutProven(state, user, stored.methods), factorId);
      const accepted =
        user !== undefined &&
        state.enabled &&
        (await proof.accept(
          userId,
          user.email,
          { code, backupCode, factor },
          { of: codes, owner: challenge },
          context,
        ));
      if (user === undefined || !accepted) {
        // The count alone kills the challenge: to delete it could overtake a right code that was presented at the same time.
        await failed(userId, "invalid_code", context);
        throw new AuthError("invalid_code");
      }
      // Two different right codes presented at once are still one login.
      if ((await ephemeral.take(key(challenge))) === undefined) throw new AuthError("invalid_challenge");
      await ephemeral.delete(attemptsKey(challenge));
      const added = addedMethods(backupCode ? undefined : factor, user.phoneNumber, stored.methods);
      const outcome = await completion().complete(
        user,
        {
          methods: [...stored.methods, ...added],
          origin: stored.origin === "password_login" ? "password_login_2fa" : stored.origin,
          satisfiesMfa: true,
          skipVerification: true,
          ...(stored.extraClaims === undefined ? {} : { extraClaims: stored.extraClaims }),
        },
        context,
      );
      if (outcome.kind === "granted" || outcome.kind === "enrollment_required") return outcome;
      throw new Error("a completed second factor asked for another one");
    },
  };
}
