import type { CallContext } from "../platform.ts";
import type { SessionOrigin, SessionOutcome } from "../sessions/types.ts";
import type { UserRow } from "../users/types.ts";

/** A code has been sent (or is shown by the authenticator): the second factor completes the login. */
export interface SecondFactorRequired {
  readonly kind: "second_factor_required";
  readonly userId: string;
  readonly method: "email" | "sms" | "totp";
  /** Masked destination. */
  readonly verificationId: string;
  /** Opaque, 43 characters; presented with the second factor. */
  readonly challenge: string;
  readonly defaultFactor: OfferedFactor;
  readonly availableFactors: readonly OfferedFactor[];
  /** The default factor's code could not be sent; another factor or a backup code is left. */
  readonly deliveryFailed?: boolean;
}

export interface OfferedFactor {
  readonly id: string;
  readonly method: "email" | "sms" | "totp";
  readonly isDefault: boolean;
  /** Masked. */
  readonly phoneNumber: string | null;
}

/** The contact must be verified first; a message with a code has been queued. */
export interface VerificationRequired {
  readonly kind: "verification_required";
  readonly identifier: string;
  readonly channel: "email" | "sms" | "phone";
}

/** How a first factor can end. */
export type LoginOutcome = SessionOutcome | SecondFactorRequired | VerificationRequired;

/** Starts the second factor of a login whose first factor has been proven (spec'd order of factors: default first). */
export interface SecondFactorChallenges {
  /** Undefined when the user has none enabled or the deployment has them switched off. */
  begin(user: UserRow, proven: ProvenFactor, context: CallContext): Promise<SecondFactorRequired | undefined>;
}

/** What a first factor has proven. */
export interface ProvenFactor {
  /** `amr` so far. */
  readonly methods: readonly string[];
  readonly origin: SessionOrigin;
  /** The factor itself satisfies a second factor (passkeys). */
  readonly satisfiesMfa?: boolean;
  /** The login itself proves the contact, so the verification gate does not apply. */
  readonly skipVerification?: boolean;
  /** Claims of the first access token (`provider`, `solana_address`). */
  readonly extraClaims?: Readonly<Record<string, unknown>>;
}

/** Unfinished registrations a login may meet. */
export interface PendingLogins {
  /**
   * A pending registration under this identifier whose password matches: re-issues its code and says what to do. Always costs one hash
   * verification. `retry` = the account exists by now; look it up again. Undefined for every address where accounts are hidden.
   */
  resume(
    kind: "email" | "phone",
    identifier: string,
    password: string,
    context: CallContext,
  ): Promise<VerificationRequired | "retry" | undefined>;
}

/** Policy `required`: an existing account whose contact is not verified. */
export interface VerificationGate {
  /** Sends a code and returns the hand-off when this login must wait for verification. */
  holdBack(user: UserRow, context: CallContext): Promise<VerificationRequired | undefined>;
}

/** Everything a proven first factor still has to pass before tokens are issued; every door of the house goes through it. */
export interface LoginCompletion {
  /**
   * Access gate → verification gate → second factor → session. `proven` are the session's methods so far.
   * Throws `user_banned`, `token_issue_failed` (this server signs nothing).
   */
  complete(user: UserRow, proven: ProvenFactor, context: CallContext): Promise<LoginOutcome>;
}
