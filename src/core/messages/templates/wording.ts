import type { MessageKind } from "../types.ts";

/** What one kind says in one language. Texts may use `{{app}}`, `{{username}}` and `{{device}}`. */
export interface Wording {
  readonly subject: string;
  readonly intro: string;
  /** Label before the code or link of an SMS; the whole text of one that carries neither. */
  readonly sms: string;
  /** Last line, about what to do when nobody asked for this. */
  readonly closing?: string;
}

/** One language. */
export interface Texts {
  readonly greeting: string;
  /** Before the code in a mail. */
  readonly code: string;
  /** Before the link in a mail. */
  readonly link: string;
  /** Before the link of an SMS that has a code too. */
  readonly smsLink: string;
  /** `{{duration}}` until the code or link dies. */
  readonly validity: string;
  readonly kinds: Readonly<Record<MessageKind, Wording>>;
}

/** What a mail is filed under at the provider. */
export const categories: Readonly<Record<MessageKind, readonly string[]>> = {
  signup: ["auth", "email-verification"],
  contact_verify: ["auth", "email-verification"],
  contact_change: ["auth", "email-verification"],
  two_factor_setup: ["auth", "2fa-setup"],
  passwordless_login: ["auth", "email-verification"],
  password_reset: ["auth", "password-reset"],
  login_code: ["auth", "2fa-login"],
  welcome: ["auth", "welcome"],
  account_registration_invite: ["auth", "invite"],
  notice_contact_changed: ["auth", "security-notice"],
  notice_password_changed: ["auth", "security-notice"],
  notice_factor_added: ["auth", "security-notice"],
  notice_factor_removed: ["auth", "security-notice"],
  notice_factor_changed: ["auth", "security-notice"],
  notice_backup_codes_renewed: ["auth", "security-notice"],
  notice_backup_code_used: ["auth", "security-notice"],
  notice_backup_codes_low: ["auth", "security-notice"],
  notice_second_factor_locked: ["auth", "security-notice"],
  notice_passkey_copied: ["auth", "security-notice"],
  notice_provider_linked: ["auth", "security-notice"],
  notice_provider_unlinked: ["auth", "security-notice"],
  notice_account_deleted: ["auth", "security-notice"],
  notice_new_device: ["auth", "security-notice"],
  notice_registration_attempt: ["auth", "security-notice"],
};
