import { AuthError, failingAs } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/index.ts";
import { freshSeconds, hasSecondFactor, isFresh, stepUpRequired } from "../authentication/fresh.ts";
import type { UserPrincipal } from "../authentication/principal.ts";
import type { Limits } from "../limits/index.ts";
import type { Passwords } from "../passwords/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { Sessions } from "../sessions/types.ts";
import { createStepUpOptions, type StepUpOptionParts, type StepUpOptions, stepUpOffer } from "./options.ts";
import { recordRefusedProof } from "./refused.ts";

/** A proof given with the request itself: the session has been marked, and a new access token says so. */
export type FreshAuthentication = Awaited<ReturnType<Sessions["reauthenticate"]>>;

export interface SensitiveGateParts extends StepUpOptionParts {
  readonly sessions: Pick<Sessions, "reauthenticate">;
  readonly passwords: Pick<Passwords, "verify">;
  readonly limits: Limits;
  readonly audit: Pick<Audit, "record">;
}

/** What every action passes that a stolen, stale access token must not be able to do. */
export interface SensitiveGate {
  /**
   * Passes a fresh token (then undefined is returned) and a right password (then the new authentication). A password alone is not
   * enough where a second factor is enrolled that this session has not shown.
   *
   * Throws `step_up_required` with what would help, `rate_limited`, `invalid_password`, `password_reset_required`, `unauthorized` (the session is
   * over), `step_up_failed`.
   */
  require(
    user: UserPrincipal,
    password: string | undefined,
    context: CallContext,
  ): Promise<FreshAuthentication | undefined>;
  /** Whether the token alone passes. */
  isFresh(user: UserPrincipal): boolean;
  /** The refusal for this user. */
  refusal(userId: string): Promise<AuthError>;
  stepUpOptions(userId: string): Promise<StepUpOptions>;
  /** Throws `step_up_required` where `method` of {@link StepUpOptions} no longer makes the account's sessions fresh. */
  assertRenews(userId: string, method: string): Promise<void>;
}

export function createSensitiveGate(
  platform: Pick<Platform, "config" | "database" | "clock">,
  parts: SensitiveGateParts,
): SensitiveGate {
  const { config, clock } = platform;
  const { sessions, passwords, limits, audit } = parts;
  const stepUpOptions = createStepUpOptions(platform, parts);

  const fresh = (user: UserPrincipal): boolean =>
    isFresh(user, { now: clock.epochSeconds(), skew: config.tokens.skewSeconds });

  async function mark(user: UserPrincipal, context: CallContext): Promise<FreshAuthentication> {
    const { userId, sessionId } = user;
    if (sessionId === undefined) throw new AuthError("unauthorized");
    return failingAs("step_up_failed", () => sessions.reauthenticate(userId, sessionId, ["pwd"], context));
  }

  return {
    isFresh: fresh,
    stepUpOptions,
    async assertRenews(userId, method) {
      if (!config.stepUp.strict) return;
      const options = await stepUpOptions(userId);
      if (options.factors.length > 0 && !options.methods.includes(method))
        throw stepUpRequired(stepUpOffer(options));
    },
    refusal: async (userId) => stepUpRequired(stepUpOffer(await stepUpOptions(userId))),

    async require(user, password, context) {
      if (fresh(user)) return undefined;
      const options = await stepUpOptions(user.userId);
      const missesFactor = options.factors.length > 0 && (config.stepUp.strict || !hasSecondFactor(user.amr));
      if (password === undefined || password === "" || missesFactor)
        throw stepUpRequired(stepUpOffer(options));
      // One budget for guesses at a password, wherever they are made.
      await limits.check("auth_password_login", { id: `user:${user.userId}` });
      const check = await passwords.verify(user.userId, password, context);
      if (check !== "match") {
        const code = check === "reset_required" ? "password_reset_required" : "invalid_password";
        await recordRefusedProof(audit, user, { code, method: "pwd" }, context);
        throw new AuthError(code);
      }
      return mark(user, context);
    },
  };
}

/** Members that a success body carries when the request itself proved a fresh authentication; none otherwise. */
export function freshAuthMembers(fresh: FreshAuthentication | undefined): Record<string, unknown> {
  if (fresh === undefined) return {};
  return {
    access_token: fresh.accessToken,
    token_type: "Bearer",
    expires_in: fresh.expiresIn,
    fresh_auth: {
      auth_methods: fresh.methods,
      last_authenticated_at: fresh.authenticatedAt.toISOString().replace(/\.\d+Z$/, "Z"),
      step_up_required_for_sensitive_actions: false,
      time_until_step_up_required: freshSeconds,
    },
  };
}
