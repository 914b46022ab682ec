import type { LoginOutcome } from "../login/types.ts";
import type { CallContext } from "../platform.ts";
import type { ContactChannel } from "./messages.ts";

/** What a confirmed code or link led to: a sign-in, or a changed contact (which signs nobody in). */
export type ConfirmOutcome =
  | { readonly kind: "signed_in"; readonly outcome: LoginOutcome }
  | { readonly kind: "contact_changed" };

/** Proof of contacts: asking for it, and redeeming it. */
export interface Verification {
  /**
   * New code and link for the unverified contact of an account, or for a registration that waits for it.
   *
   * Throws `email_already_verified` / `phone_already_verified` and `user_not_found`, which tell strangers about accounts; where these are hidden
   * everything is accepted alike, and done in the background. Also `*_delivery_failed`.
   */
  request(channel: ContactChannel, address: string, context: CallContext): Promise<void>;
  /** What a request in the background comes to; nothing of it is reported to anybody. */
  serve(channel: ContactChannel, address: string, context: CallContext): Promise<void>;
  /**
   * By code: a pending registration, an account's contact, or a contact change of `userId` (the signed-in user).
   *
   * Throws `invalid_or_expired_code`, `user_banned`; with strict statuses 409 `email_in_use`, `phone_in_use`, `username_in_use`.
   */
  confirmByCode(
    channel: ContactChannel,
    address: string,
    code: string,
    userId: string | undefined,
    context: CallContext,
  ): Promise<ConfirmOutcome>;
  /**
   * By the token of a link; `address`, where the caller knows it, only serves to say why a token is dead. Where accounts are hidden that is never
   * said: each is `invalid_or_expired_token`.
   *
   * Throws `invalid_or_expired_token`, `verification_link_expired`, `email_already_verified` / `phone_already_verified`, `user_banned`.
   */
  confirmByToken(
    channel: ContactChannel,
    token: string,
    address: string,
    context: CallContext,
  ): Promise<ConfirmOutcome>;
}
