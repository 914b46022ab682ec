import type { Texts } from "./wording.ts";

const ignore = "If you did not ask for this, you can ignore this message.";
const act = "If this was not you, reset your password and contact support at once.";

export const english: Texts = {
  greeting: "Hello {{username}},",
  code: "Your code:",
  link: "Open this link:",
  smsLink: "Verify:",
  validity: "Valid for {{duration}}.",
  kinds: {
    signup: {
      subject: "Verify your {{app}} account",
      intro: "Welcome! Please confirm your address to finish creating your {{app}} account.",
      sms: "verification code",
      closing: ignore,
    },
    contact_verify: {
      subject: "Verify your {{app}} account",
      intro: "Please confirm that this address belongs to your {{app}} account.",
      sms: "verification code",
      closing: ignore,
    },
    contact_change: {
      subject: "Verify your {{app}} account",
      intro: "Please confirm this address as the new one of your {{app}} account.",
      sms: "code to confirm your new number",
      closing: ignore,
    },
    two_factor_setup: {
      subject: "Your {{app}} set-up code",
      intro: "Use this code to turn on two-factor authentication for your {{app}} account.",
      sms: "two-factor set-up code",
      closing: ignore,
    },
    passwordless_login: {
      subject: "Verify your {{app}} account",
      intro: "Use this to sign in to {{app}}.",
      sms: "sign-in code",
      closing: ignore,
    },
    password_reset: {
      subject: "Reset your {{app}} password",
      intro: "Somebody asked to reset the password of your {{app}} account.",
      sms: "password reset",
      closing: ignore,
    },
    login_code: {
      subject: "Your {{app}} login code",
      intro: "Use this code to finish signing in to {{app}}.",
      sms: "login code",
      closing: "Never give this code to anybody. If you are not signing in, change your password.",
    },
    welcome: {
      subject: "Welcome to {{app}}",
      intro: "Welcome to {{app}}, your account is ready.",
      sms: "welcome, your account is ready.",
    },
    account_registration_invite: {
      subject: "You are invited to {{app}}",
      intro: "You have been invited to create an account at {{app}}.",
      sms: "invitation",
      closing: "If you did not expect this, you can ignore this message.",
    },
    notice_contact_changed: {
      subject: "Your {{app}} contact details were changed",
      intro:
        "The contact details of your {{app}} account were changed; messages no longer go to this address.",
      sms: "the contact details of your account were changed.",
      closing: act,
    },
    notice_password_changed: {
      subject: "Your {{app}} password was changed",
      intro: "The password of your {{app}} account was changed.",
      sms: "the password of your account was changed.",
      closing: act,
    },
    notice_factor_added: {
      subject: "A sign-in factor was added to your {{app}} account",
      intro: "A passkey or second factor was added to your {{app}} account.",
      sms: "a sign-in factor was added to your account.",
      closing: act,
    },
    notice_factor_removed: {
      subject: "A sign-in factor was removed from your {{app}} account",
      intro: "A passkey or second factor was removed from your {{app}} account.",
      sms: "a sign-in factor was removed from your account.",
      closing: act,
    },
    notice_factor_changed: {
      subject: "The sign-in factors of your {{app}} account were changed",
      intro: "Another second factor of your {{app}} account is asked for first from now on.",
      sms: "another second factor of your account is asked for first from now on.",
      closing: act,
    },
    notice_backup_codes_renewed: {
      subject: "New backup codes for your {{app}} account",
      intro: "New backup codes were made for your {{app}} account; the earlier ones no longer work.",
      sms: "new backup codes were made for your account; the earlier ones no longer work.",
      closing: act,
    },
    notice_backup_code_used: {
      subject: "A backup code of your {{app}} account was used",
      intro:
        "A backup code of your {{app}} account was used. Each works once; make new ones when few are left.",
      sms: "a backup code of your account was used. Each works once; make new ones when few are left.",
      closing: act,
    },
    notice_backup_codes_low: {
      subject: "The backup codes of your {{app}} account are running out",
      intro:
        "A backup code of your {{app}} account was used, and two or fewer are left. Make new ones before the last is gone.",
      sms: "a backup code of your account was used, and two or fewer are left. Make new ones.",
      closing: act,
    },
    notice_second_factor_locked: {
      subject: "Wrong codes for your {{app}} account",
      intro:
        "Somebody with a right first sign-in step presented many wrong codes for your {{app}} account. Its second factor is locked for a quarter of an hour.",
      sms: "many wrong codes were presented for your account. Its second factor is locked for a quarter of an hour.",
      closing: act,
    },
    notice_passkey_copied: {
      subject: "A passkey of your {{app}} account may have been copied",
      intro:
        "A sign-in to your {{app}} account was refused, because the passkey it used may be a copy. Remove that passkey and make a new one.",
      sms: "a sign-in was refused, because the passkey it used may be a copy. Remove that passkey and make a new one.",
      closing: "If you have questions, contact support.",
    },
    notice_provider_linked: {
      subject: "A sign-in provider was linked to your {{app}} account",
      intro: "An external sign-in provider was linked to your {{app}} account.",
      sms: "a sign-in provider was linked to your account.",
      closing: act,
    },
    notice_provider_unlinked: {
      subject: "A sign-in provider was removed from your {{app}} account",
      intro: "An external sign-in provider was removed from your {{app}} account.",
      sms: "a sign-in provider was removed from your account.",
      closing: act,
    },
    notice_account_deleted: {
      subject: "Your {{app}} account was deleted",
      intro: "Your {{app}} account was deleted.",
      sms: "your account was deleted.",
      closing: "If this was not you, contact support at once.",
    },
    notice_new_device: {
      subject: "New sign-in to your {{app}} account",
      intro:
        "Your {{app}} account was signed in to from a device or browser it had not been used with before: {{device}}.",
      sms: "new sign-in to your account: {{device}}.",
      closing: act,
    },
    notice_registration_attempt: {
      subject: "You already have an {{app}} account",
      intro: "Somebody tried to use this address for another {{app}} account; it belongs to yours already.",
      sms: "somebody tried to use your number for another account; it belongs to yours already.",
      closing: "If it was you, sign in instead, or reset your password. Otherwise there is nothing to do.",
    },
  },
};
