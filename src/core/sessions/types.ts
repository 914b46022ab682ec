import type { Transaction } from "../../platform/postgres/port.ts";
import type { CallContext } from "../platform.ts";
import type { SubjectRow } from "./subject.ts";

/** A login's outcome in tokens, as it goes on the wire. */
export interface TokenGrant {
  readonly kind: "granted";
  readonly userId: string;
  readonly sessionId: string;
  readonly accessToken: string;
  readonly accessTokenExpiresAt: Date;
  /** Whole seconds, rounded down after signing. */
  readonly expiresIn: number;
  readonly refreshToken: string;
}

/** No session: a second factor must be enrolled (or used) first. */
export interface EnrollmentHandOff {
  readonly kind: "enrollment_required";
  readonly userId: string;
  /** True when a factor is enrolled and this session merely has not shown it; false when one must be enrolled. */
  readonly secondFactorEnrolled: boolean;
  /** What the session, or the login that asked for one, has proven. */
  readonly methods: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly accessToken: string;
  readonly expiresIn: number;
}

export type SessionOutcome = TokenGrant | EnrollmentHandOff;

/** `method` of the `session_created` event. */
export type SessionOrigin =
  | "password_login"
  | "password_login_2fa"
  | "registration"
  | "email_verification"
  | "phone_verification"
  | "passwordless_email"
  | "passwordless_sms"
  | "passkey_login"
  | "oidc_login"
  | `oauth_login:${string}`
  | "solana_login"
  | "management";

export type RevocationReason =
  | "logout"
  | "user_revoke"
  | "user_revoke_all"
  | "admin_revoke"
  | "admin_revoke_all"
  | "password_change"
  | "admin_set_password"
  | "user_disabled"
  | "banned"
  | "soft_deleted"
  | "evicted"
  | "refresh_reuse_detected"
  | "second_factor_enrolled";

export interface OpenSession {
  readonly userId: string;
  /** `amr` of the session, e.g. `["pwd"]`, `["pwd","otp","mfa"]`. */
  readonly methods: readonly string[];
  readonly origin: SessionOrigin;
  /** Claims a flow adds to the first access token (`provider`, `solana_address`). */
  readonly extraClaims?: Readonly<Record<string, unknown>>;
}

export interface SessionRow {
  readonly id: string;
  readonly familyId: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly lastAuthenticatedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly authMethods: readonly string[];
}

/** An account as its gates see it, on its way from the database. */
export type SubjectReading = Promise<SubjectRow | undefined>;

/** Sessions and refresh tokens. */
export interface Sessions {
  /**
   * Access gate, MFA state, tokens signed, cap and insert with `session_created` and `last_login`. Throws `user_banned`, `user_not_found`, `missing_signer`.
   */
  open(session: OpenSession, context: CallContext, reading?: SubjectReading): Promise<SessionOutcome>;
  /** Starts to read what {@link open} looks at first, so that it can travel with another look-up. */
  read(userId: string): SubjectReading;
  /** One refresh with rotation, grace window and reuse detection. Throws `invalid_refresh_token`, `user_banned`. */
  refresh(refreshToken: string, context: CallContext): Promise<SessionOutcome>;
  /** Session id of a live current refresh token; throws `invalid_refresh_token`. */
  current(refreshToken: string): Promise<string>;
  /** Ends the session of a current or previous refresh token; one that is unknown, or has ended, ends nothing. */
  end(refreshToken: string): Promise<void>;
  /** Live sessions of this issuer, most recently used first. */
  list(userId: string): Promise<SessionRow[]>;
  /** One live session of the user at this issuer. */
  find(userId: string, sessionId: string): Promise<SessionRow | undefined>;
  /** Revokes one session of the user; false when nothing was live. */
  revoke(userId: string, sessionId: string, reason: RevocationReason, context: CallContext): Promise<boolean>;
  /** Revokes all but `keep`; returns how many. */
  revokeAll(
    userId: string,
    reason: RevocationReason,
    context: CallContext,
    options?: { readonly keep?: string | undefined; readonly tx?: Transaction | undefined },
  ): Promise<number>;
  /**
   * Records a fresh proof on a live session: `last_authenticated_at` = now and the methods are added. Returns the new access token.
   * Throws `unauthorized` when the session is not live.
   */
  reauthenticate(
    userId: string,
    sessionId: string,
    addMethods: readonly string[],
    context: CallContext,
  ): Promise<{ accessToken: string; expiresIn: number; methods: readonly string[]; authenticatedAt: Date }>;
}
