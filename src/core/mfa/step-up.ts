import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/index.ts";
import type { UserPrincipal } from "../authentication/principal.ts";
import type { Limits } from "../limits/index.ts";
import type { Passwords } from "../passwords/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { Sessions } from "../sessions/types.ts";
import { maskDestination } from "../step-up/mask.ts";
import { recordRefusedProof } from "../step-up/refused.ts";
import type { FreshAuthentication, SensitiveGate } from "../step-up/sensitive.ts";
import type { Users } from "../users/types.ts";
import { addressee, type CodeDelivery } from "./delivery.ts";
import { createFactorCodes } from "./factor-codes.ts";
import { addedMethods, codeTarget, type Factor, type SecondFactorProof } from "./proof.ts";
import type { MfaState, MfaStates } from "./types.ts";

export type StepUpOutcome =
  | { readonly kind: "fresh"; readonly fresh: FreshAuthentication }
  | { readonly kind: "code_sent"; readonly method: Factor["method"]; readonly verificationId: string };

export interface SecondFactorStepUp {
  readonly code: string;
  /** Blank = the default factor. */
  readonly method: string;
  readonly backupCode: boolean;
}

/** Making a signed-in session fresh again. Every success marks the session and gives a new access token. */
export interface StepUp {
  /** Throws `not_authenticated`, `step_up_required` (strict rules), `rate_limited`, `invalid_password`, `password_reset_required`, `unauthorized`, `step_up_failed`. */
  password(user: UserPrincipal, password: string, context: CallContext): Promise<FreshAuthentication>;
  /** Without a code sends one. Throws `not_authenticated`, `invalid_method`, `invalid_code`, `*_delivery_failed`, … */
  secondFactor(
    user: UserPrincipal,
    presented: SecondFactorStepUp,
    context: CallContext,
  ): Promise<StepUpOutcome>;
}

export interface StepUpParts {
  readonly users: Pick<Users, "byId">;
  readonly states: MfaStates;
  readonly delivery: CodeDelivery;
  readonly proof: SecondFactorProof;
  readonly sessions: Pick<Sessions, "reauthenticate">;
  readonly passwords: Pick<Passwords, "verify">;
  readonly limits: Limits;
  readonly audit: Pick<Audit, "record">;
  readonly gate: Pick<SensitiveGate, "assertRenews">;
}

const methods: readonly string[] = ["email", "sms", "totp"];

function sessionOf(user: UserPrincipal): string {
  if (user.sessionId === undefined || user.enrollment) throw new AuthError("not_authenticated");
  return user.sessionId;
}

function factorFor(state: MfaState, method: string): Factor | undefined {
  if (method !== "") return state.factors.find((factor) => factor.method === method);
  return state.factors.find(({ isDefault }) => isDefault) ?? state.factors[0];
}

export function createStepUp(
  platform: Pick<Platform, "config" | "clock" | "random" | "ephemeral">,
  parts: StepUpParts,
): StepUp {
  const { users, states, delivery, proof, sessions, passwords, limits, audit, gate } = parts;
  const codes = createFactorCodes(platform, "step-up");

  async function mark(
    user: UserPrincipal,
    proven: readonly string[],
    context: CallContext,
  ): Promise<FreshAuthentication> {
    try {
      return await sessions.reauthenticate(user.userId, sessionOf(user), proven, context);
    } catch (cause) {
      throw isAuthError(cause) ? cause : new AuthError("step_up_failed", { cause });
    }
  }

  return {
    async password(user, password, context) {
      sessionOf(user);
      await gate.assertRenews(user.userId, "password");
      await limits.check("auth_step_up_password", { id: user.userId });
      const check = await passwords.verify(user.userId, password, context);
      if (check !== "match") {
        const code = check === "reset_required" ? "password_reset_required" : "invalid_password";
        await recordRefusedProof(audit, user, { code, method: "pwd" }, context);
        throw new AuthError(code);
      }
      return mark(user, ["pwd"], context);
    },

    async secondFactor(user, { code, method, backupCode }, context) {
      const session = sessionOf(user);
      if (method !== "" && !methods.includes(method)) throw new AuthError("invalid_method");
      await limits.check("auth_2fa_verify", { ip: context.ip, id: user.userId });
      const [account, state] = await Promise.all([users.byId(user.userId), states.of(user.userId)]);
      const factor = factorFor(state, method);
      const owner = `${user.userId}:${session}`;
      if (account === undefined) throw new AuthError("unauthorized");
      if (code === "") {
        if (!state.enabled || factor === undefined) throw new AuthError("invalid_method");
        const target = codeTarget(factor, account.email);
        if (factor.method !== "totp") {
          if (target === undefined) throw new AuthError("2fa_send_failed");
          await delivery.send("login_code", codes, owner, target, addressee(account, context));
        }
        const verificationId = maskDestination(target?.destination ?? "authenticator app");
        return { kind: "code_sent", method: factor.method, verificationId };
      }
      const presented = { code, backupCode, factor };
      const accepted =
        state.enabled &&
        (await proof.accept(user.userId, account.email, presented, { of: codes, owner }, context));
      if (!accepted) {
        const shown = backupCode ? "backup_code" : (factor?.method ?? method);
        await recordRefusedProof(audit, user, { code: "invalid_code", method: shown }, context);
        throw new AuthError("invalid_code");
      }
      const added = addedMethods(backupCode ? undefined : factor, account.phoneNumber, user.amr);
      return { kind: "fresh", fresh: await mark(user, added, context) };
    },
  };
}
