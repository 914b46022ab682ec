import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { UserPrincipal } from "../authentication/principal.ts";
import { isPhone } from "../identifiers/index.ts";
import type { Limits } from "../limits/index.ts";
import type { Messages } from "../messages/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { Sessions } from "../sessions/types.ts";
import type { SensitiveGate } from "../step-up/sensitive.ts";
import type { UserRow, Users } from "../users/types.ts";
import { addressee, type CodeDelivery } from "./delivery.ts";
import type { Enrolment } from "./enrolment.ts";
import { createFactorCodes } from "./factor-codes.ts";
import type { NewFactor } from "./factor-store.ts";
import { addedMethods } from "./proof.ts";
import { matchingStep, newTotpSecret, otpauthUri } from "./totp.ts";
import type { TotpCipher } from "./totp-cipher.ts";
import type { MfaStates } from "./types.ts";

/** Seconds between showing a TOTP secret and proving that an authenticator has it. */
const pendingSecretTtl = 600;

export interface SetupRequest {
  readonly method: string;
  readonly code: string;
  readonly phone: string;
  readonly makeDefault: boolean;
}

/** How a call of enrolment ends. */
export type SetupOutcome =
  | { readonly kind: "code_sent"; readonly method: "email" | "sms" }
  | { readonly kind: "secret"; readonly secret: string; readonly uri: string }
  | { readonly kind: "enrolled"; readonly method: string; readonly backupCodes?: readonly string[] };

/** Enrolment of second factors by the account's owner. */
export interface FactorSetup {
  /**
   * Starts or completes the enrolment of a method. Throws `step_up_required`, `forbidden`, `invalid_method`, `phone_and_code_required`,
   * `phone_number_must_be_e164`, `phone_2fa_unavailable`, `invalid_code`, `rate_limited`, `*_delivery_failed`.
   */
  enrol(user: UserPrincipal, request: SetupRequest, context: CallContext): Promise<SetupOutcome>;
  /** Who may change factors: a fresh session, or an enrolment token while there is no factor. Throws `step_up_required`, `forbidden`. */
  admit(user: UserPrincipal): Promise<void>;
}

export interface FactorSetupParts {
  readonly users: Pick<Users, "byId">;
  readonly states: MfaStates;
  readonly enrolment: Enrolment;
  readonly delivery: CodeDelivery;
  readonly cipher: TotpCipher | undefined;
  readonly gate: Pick<SensitiveGate, "isFresh" | "refusal">;
  readonly sessions: Pick<Sessions, "reauthenticate" | "revokeAll">;
  readonly messages: Pick<Messages, "available">;
  readonly limits: Limits;
}

export function createFactorSetup(
  platform: Pick<Platform, "config" | "clock" | "random" | "ephemeral">,
  parts: FactorSetupParts,
): FactorSetup {
  const { config, clock, random, ephemeral } = platform;
  const { users, states, enrolment, delivery, cipher, gate, sessions, messages, limits } = parts;
  const codes = createFactorCodes(platform, "setup");
  const secretKey = (userId: string): string => `auth:2fa:totp:enroll:${userId}`;
  const issuerLabel = new URL(config.issuer).hostname;

  async function account(userId: string): Promise<UserRow> {
    const user = await users.byId(userId);
    if (user === undefined) throw new AuthError("unauthorized");
    return user;
  }

  async function admit(user: UserPrincipal): Promise<void> {
    if (user.enrollment) {
      // Such a token is also given to people who have a factor and have not shown it: it must not let them replace it.
      if ((await states.of(user.userId)).factors.length > 0) throw new AuthError("forbidden");
      return;
    }
    if (!gate.isFresh(user)) throw await gate.refusal(user.userId);
  }

  async function store(
    user: UserPrincipal,
    factor: NewFactor,
    request: SetupRequest,
    proven: boolean,
    context: CallContext,
  ): Promise<SetupOutcome> {
    const options = { makeDefault: request.makeDefault, onlyFirst: user.enrollment };
    const first = config.mfa.enrolmentEndsSessions && (await states.of(user.userId)).factors.length === 0;
    const backupCodes = await enrolment.add(user.userId, factor, options, context);
    // A proven factor is a second factor of this session; an enrolment token belongs to none.
    if (proven && user.sessionId !== undefined) {
      const { phoneNumber } = await account(user.userId);
      const added = addedMethods(factor, phoneNumber, user.amr);
      await sessions.reauthenticate(user.userId, user.sessionId, added, context);
    }
    // Whoever got in without a second factor before has to come again with one.
    if (first) await sessions.revokeAll(user.userId, "user_revoke_all", context, { keep: user.sessionId });
    return { kind: "enrolled", method: factor.method, ...(backupCodes === undefined ? {} : { backupCodes }) };
  }

  async function email(
    user: UserPrincipal,
    request: SetupRequest,
    context: CallContext,
  ): Promise<SetupOutcome> {
    const row = await account(user.userId);
    if (row.email === null) throw new AuthError("invalid_method");
    const factor: NewFactor = { method: "email", phoneNumber: null, totpSecret: null, totpStep: null };
    const target = { method: "email", destination: row.email } as const;
    if (request.code !== "") {
      if (!(await codes.consume(`${user.userId}:email`, target, request.code)))
        throw new AuthError("invalid_code", { status: 400 });
      return store(user, factor, request, true, context);
    }
    // An address that was verified before needs no further proof.
    if (row.emailVerified) return store(user, factor, request, false, context);
    await delivery.send("two_factor_setup", codes, `${user.userId}:email`, target, addressee(row, context));
    return { kind: "code_sent", method: "email" };
  }

  async function sms(
    user: UserPrincipal,
    request: SetupRequest,
    context: CallContext,
  ): Promise<SetupOutcome> {
    const { phone, code } = request;
    if (phone === "") throw new AuthError("phone_and_code_required");
    if (!isPhone(phone)) throw new AuthError("phone_number_must_be_e164");
    const target = { method: "sms", destination: phone } as const;
    const owner = `${user.userId}:sms`;
    if (code === "") {
      await limits.check("auth_2fa_start_phone", { ip: context.ip, id: user.userId });
      // Whoever has many accounts and addresses still cannot have one phone rung all day.
      await limits.check("auth_2fa_start_phone", { id: phone });
      if (!messages.available("sms")) throw new AuthError("phone_2fa_unavailable");
      const row = await account(user.userId);
      await delivery.send("two_factor_setup", codes, owner, target, addressee(row, context));
      return { kind: "code_sent", method: "sms" };
    }
    if (!(await codes.consume(owner, target, code))) throw new AuthError("invalid_code", { status: 400 });
    const factor: NewFactor = { method: "sms", phoneNumber: phone, totpSecret: null, totpStep: null };
    return store(user, factor, request, true, context);
  }

  async function totp(
    user: UserPrincipal,
    request: SetupRequest,
    context: CallContext,
  ): Promise<SetupOutcome> {
    const { userId } = user;
    if (cipher === undefined) throw new AuthError("invalid_method");
    if (request.code === "") {
      await limits.check("auth_2fa_start_totp", { ip: context.ip });
      const row = await account(userId);
      const secret = newTotpSecret(random);
      const sealed = cipher.seal(secret, userId).toString("base64");
      await ephemeral.set(secretKey(userId), sealed, pendingSecretTtl);
      return {
        kind: "secret",
        secret,
        uri: otpauthUri(secret, issuerLabel, row.email ?? row.username ?? userId),
      };
    }
    const sealed = await ephemeral.get(secretKey(userId));
    const secret = sealed === undefined ? undefined : cipher.open(Buffer.from(sealed, "base64"), userId);
    const step = secret === undefined ? undefined : matchingStep(secret, request.code, clock.epochSeconds());
    if (
      sealed === undefined ||
      secret === undefined ||
      step === undefined ||
      !(await ephemeral.compareAndTake(secretKey(userId), sealed))
    )
      throw new AuthError("invalid_code", { status: 400 });
    // The step of the proof is used up: the same code must not sign in afterwards.
    const factor: NewFactor = {
      method: "totp",
      phoneNumber: null,
      totpSecret: cipher.seal(secret, userId),
      totpStep: step,
    };
    return store(user, factor, request, true, context);
  }

  return {
    admit,
    async enrol(user, request, context) {
      const available: readonly string[] = states.availableMethods();
      // A method is refused for what it is before anything is asked of the session.
      if (!available.includes(request.method)) throw new AuthError("invalid_method");
      await admit(user);
      try {
        switch (request.method) {
          case "email":
            return await email(user, request, context);
          case "sms":
            return await sms(user, request, context);
          default:
            return await totp(user, request, context);
        }
      } catch (error) {
        throw isAuthError(error, "not_found") ? new AuthError("unauthorized") : error;
      }
    },
  };
}
