import type { LoginOutcome } from "../login/types.ts";
import type { CallContext } from "../platform.ts";
import type { UserRow } from "../users/types.ts";

export interface RegistrationRequest {
  /** E-mail address or phone number, as typed. */
  readonly identifier: string;
  readonly username: string;
  readonly password: string;
  /** Token of an account invite; needed in mode `invite_only`. */
  readonly inviteToken?: string | undefined;
}

export interface RegistrationResult {
  /** Trimmed, as typed. */
  readonly username: string;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly nextAction: "none" | "verify_email" | "verify_phone";
  /** The account can be used at once (policies `none` and `optional`); undefined while a verification is waited for. */
  readonly login: LoginOutcome | undefined;
}

/** What a registration asks to have once the address is proven. */
export interface RegistrationClaim {
  readonly username: string;
  readonly passwordHash: string;
  readonly inviteHash?: string;
}

/** One asked field; `error` says why it is not available. */
export interface FieldAvailability {
  readonly available: boolean;
  readonly error?: string;
}

export interface AvailabilityQuery {
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  readonly phoneNumber?: string | undefined;
}

/** Only the asked fields. */
export interface Availability {
  readonly username?: FieldAvailability;
  readonly email?: FieldAvailability;
  readonly phoneNumber?: FieldAvailability;
}

/** What a contact channel is called in records, messages and codes. */
export type Channel = "email" | "phone";

/** New accounts with a password. */
export interface Registration {
  /**
   * Creates the account, or a pending registration where the policy asks for a proof first.
   *
   * Throws, in the order of the checks: `invalid_request`, `rate_limited`, the password policy's codes, `username_*`, `owner_slug_taken`,
   * `invalid_identifier`, `hash_failed`, `email_registration_unavailable` / `phone_registration_unavailable`, `email_in_use` / `phone_in_use`,
   * `username_in_use`, `registration_disabled`, `email_delivery_failed` / `sms_delivery_failed`, `registration_failed`, `user_banned`,
   * `token_issue_failed`.
   */
  register(request: RegistrationRequest, context: CallContext): Promise<RegistrationResult>;
  /**
   * What a registration whose answer tells nothing comes to: its owner hears of it when the address is an account's; else the claim waits for
   * its proof, in place of any other of the address, so that nobody can plant a password for somebody who registers later.
   */
  serve(
    channel: Channel,
    address: string,
    claim: RegistrationClaim | undefined,
    context: CallContext,
  ): Promise<void>;
  /** Throws `invalid_request` when nothing is asked, `database_error`. */
  availability(query: AvailabilityQuery): Promise<Availability>;
  /**
   * New code and link for a pending registration. Throws `pending_registration_not_found`, `email_delivery_failed`, `resend_failed`; where accounts
   * are hidden every address is accepted, and served in the background as a request for verification.
   */
  resend(channel: Channel, address: string, context: CallContext): Promise<void>;
  /** Drops a pending registration when the password is the one it was made with. Always costs one hash verification. */
  abandon(identifier: string, password: string, context: CallContext): Promise<void>;
}

/** The part of pending registrations that confirmation and login work with. */
export interface PendingRegistrations {
  exists(channel: Channel, address: string): Promise<boolean>;
  /** A new code and link, old ones dead; false when nothing is pending. Queues the message. */
  resend(channel: Channel, address: string, messageKey?: string): Promise<boolean>;
  /** The account, when the code is right. Throws `email_in_use`, `phone_in_use`, `username_in_use` when somebody else was first to verify. */
  confirmByCode(
    channel: Channel,
    address: string,
    code: string,
    context: CallContext,
  ): Promise<UserRow | undefined>;
  confirmByToken(channel: Channel, token: string, context: CallContext): Promise<UserRow | undefined>;
  /** After too many wrong codes: the code dies, the registration and its link stay. */
  dropCode(channel: Channel, address: string): Promise<void>;
}
