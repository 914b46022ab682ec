import type { LoginOutcome } from "../login/types.ts";
import type { CallContext } from "../platform.ts";
import type { UserRow } from "../users/types.ts";

export type PasswordlessMode = "code" | "link" | "both";

/** A wish to sign in without a password, checked and normalised. */
export interface PasswordlessRequest {
  readonly channel: "email" | "phone";
  readonly address: string;
  readonly mode: PasswordlessMode;
  /** Same-site path, or blank. */
  readonly returnTo: string;
  /** Language asked for, or blank. */
  readonly language: string;
  /** Hash of an invite, or blank. */
  readonly inviteHash: string;
}

/** The request as it arrives. */
export interface PasswordlessInput {
  readonly identifier: string;
  readonly mode: string;
  readonly returnTo: string;
  readonly preferredLanguage: string;
  readonly inviteToken: string;
}

/** The secrets of a challenge; undefined parts were not asked for. */
export interface IssuedPasswordless {
  readonly code: string | undefined;
  readonly link: string | undefined;
}

/** What came back of a message; blank parts are absent. */
export interface PresentedPasswordless {
  readonly identifier: string;
  readonly code: string;
  readonly token: string;
}

export interface ProvenPasswordless {
  readonly user: UserRow;
  readonly channel: "email" | "phone";
  readonly returnTo: string;
}

/** Sign-in by a code or link sent to a contact; the contact counts as verified afterwards. */
export interface Passwordless {
  /** Throws `invalid_token` (no identifier), `invalid_email`, `invalid_phone_number`, `invalid_preferred_language`. */
  parse(input: PasswordlessInput): PasswordlessRequest;
  /**
   * Accepted alike for every address, and served in the background. Throws `email_verification_unavailable`, `phone_verification_unavailable`,
   * `registration_disabled` (unknown address, servers that register by invite only), `service_unavailable`.
   */
  request(request: PasswordlessRequest, context: CallContext): Promise<void>;
  /** What such a request comes to: code and link are sent to whoever may sign in or register. */
  serve(request: PasswordlessRequest, context: CallContext): Promise<void>;
  /**
   * The same at once for a trusted caller, who is given the secrets beside; `issued` undefined, and nothing sent, when there is nobody to sign in.
   * Throws `passwordless_disabled`, the codes of `parse`, `email_sender_unavailable`, `sms_unavailable`, `*_delivery_failed`.
   */
  issue(
    input: PasswordlessInput,
    context: CallContext,
  ): Promise<{ readonly channel: "email" | "phone"; readonly issued: IssuedPasswordless | undefined }>;
  /**
   * Uses the code up and forgets the wrong ones before it. Wrong codes are counted unless `uncounted`; the fifth kills the code. Throws
   * `invalid_or_expired_code`, `user_banned`.
   */
  proveCode(
    identifier: string,
    code: string,
    context: CallContext,
    options?: { readonly uncounted?: boolean },
  ): Promise<ProvenPasswordless>;
  /** Uses the link's token up. Throws `invalid_or_expired_code`, `user_banned`. */
  proveToken(token: string, context: CallContext): Promise<ProvenPasswordless>;
  /**
   * One of the two, as the sign-in page sends it back: the token where there is one. A failure is written into the sign-in history. Throws what
   * they throw, `invalid_email`, `invalid_phone_number`.
   */
  confirm(presented: PresentedPasswordless, context: CallContext): Promise<ProvenPasswordless>;
  signIn(proven: ProvenPasswordless, context: CallContext): Promise<LoginOutcome>;
  /** Counts a wrong code for a caller that counts itself. */
  recordFailure(identifier: string): Promise<void>;
  clearFailures(identifier: string): Promise<void>;
}
