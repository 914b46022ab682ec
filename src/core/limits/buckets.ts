import type { LimitRule } from "../../platform/limiter/port.ts";

/** A named limit as the contract numbers it. */
export interface Bucket extends LimitRule {
  /** What the second key is made of, where a route charges one beside the client address. */
  readonly id?: string;
  /** Refuses when the limiter's backend fails; all others let the request through. */
  readonly failClosed?: true;
  /** `metadata.action` of a refusal, when it is not the bucket's name without `auth_`. */
  readonly action?: string;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Applies to names the table does not have. */
export const defaultBucket: Bucket = { limit: 120, windowSeconds: minute };

const requestReset = "request_password_reset";
const requestEmail = "request_email_verification";
const requestPhone = "request_phone_verification";

/** Every bucket in use, by name. */
export const buckets = {
  application_register: { limit: 30, windowSeconds: hour, id: "domain" },
  application_rotate: { limit: 30, windowSeconds: hour, id: "slug" },
  auth_2fa_disable: { limit: 6, windowSeconds: hour },
  auth_2fa_enable: { limit: 6, windowSeconds: hour, failClosed: true },
  auth_2fa_regenerate_codes: { limit: 3, windowSeconds: hour },
  auth_2fa_send: { limit: 5, windowSeconds: 10 * minute, cooldownSeconds: minute / 2, id: "user id" },
  auth_2fa_start_phone: { limit: 3, windowSeconds: 10 * minute },
  auth_2fa_start_totp: { limit: 6, windowSeconds: hour },
  auth_2fa_verify: { limit: 10, windowSeconds: 10 * minute, id: "user id", failClosed: true },
  auth_admin_password_reset: { limit: 20, windowSeconds: hour },
  auth_admin_user_sessions_list: { limit: 600, windowSeconds: hour },
  auth_admin_user_sessions_revoke_all: { limit: 30, windowSeconds: hour },
  auth_email_verify_confirm: { limit: 10, windowSeconds: 10 * minute, id: "e-mail", failClosed: true },
  auth_email_verify_request: {
    ...{ limit: 6, windowSeconds: hour, cooldownSeconds: minute, id: "e-mail" },
    action: requestEmail,
  },
  auth_invite_redeem: { limit: 30, windowSeconds: hour, id: "user id" },
  auth_invite_create: { limit: 20, windowSeconds: hour, cooldownSeconds: minute, id: "e-mail" },
  auth_logout: { limit: 60, windowSeconds: 10 * minute },
  auth_oidc_callback: { limit: 60, windowSeconds: 10 * minute },
  auth_oidc_start: { limit: 30, windowSeconds: 10 * minute },
  auth_passkey_login: { limit: 60, windowSeconds: hour, id: "identifier", failClosed: true },
  auth_passkey_register: { limit: 12, windowSeconds: hour },
  auth_passkeys: defaultBucket,
  auth_password_login: { limit: 20, windowSeconds: hour, id: "identifier", failClosed: true },
  auth_password_strength: { limit: 60, windowSeconds: minute },
  auth_passwordless_confirm: { limit: 10, windowSeconds: 10 * minute, id: "identifier", failClosed: true },
  auth_passwordless_start: { limit: 6, windowSeconds: hour, cooldownSeconds: minute, id: "identifier" },
  auth_phone_verify_confirm: { limit: 10, windowSeconds: 10 * minute, id: "phone", failClosed: true },
  auth_phone_verify_request: {
    ...{ limit: 6, windowSeconds: hour, cooldownSeconds: minute, id: "phone" },
    action: requestPhone,
  },
  auth_pwd_reset_confirm: { limit: 10, windowSeconds: 10 * minute, failClosed: true },
  auth_pwd_reset_request: {
    ...{ limit: 6, windowSeconds: hour, cooldownSeconds: minute, id: "identifier" },
    action: requestReset,
  },
  auth_register: { limit: 6, windowSeconds: hour, cooldownSeconds: minute, id: "identifier" },
  auth_register_abandon: { limit: 10, windowSeconds: hour, cooldownSeconds: minute, id: "identifier" },
  auth_register_availability: { limit: 120, windowSeconds: minute },
  auth_register_resend_email: {
    ...{ limit: 6, windowSeconds: hour, cooldownSeconds: minute, id: "e-mail" },
    action: requestEmail,
  },
  auth_register_resend_phone: {
    ...{ limit: 6, windowSeconds: hour, cooldownSeconds: minute, id: "phone" },
    action: requestPhone,
  },
  auth_sessions_current: { limit: 60, windowSeconds: 10 * minute },
  auth_sessions_list: { limit: 120, windowSeconds: minute },
  auth_sessions_revoke: { limit: 60, windowSeconds: 10 * minute },
  auth_sessions_revoke_all: { limit: 20, windowSeconds: hour },
  auth_solana_challenge: { limit: 30, windowSeconds: 10 * minute },
  auth_solana_link: { limit: 12, windowSeconds: hour },
  auth_solana_login: { limit: 20, windowSeconds: 10 * minute },
  auth_step_up_password: { limit: 10, windowSeconds: 10 * minute, id: "user id", failClosed: true },
  auth_token: { limit: 30, windowSeconds: minute },
  auth_user_delete: { limit: 6, windowSeconds: hour },
  auth_user_email_change_cancel: { limit: 12, windowSeconds: hour },
  auth_user_email_change_request: {
    ...{ limit: 6, windowSeconds: hour, cooldownSeconds: minute },
    action: requestEmail,
  },
  auth_user_me: { limit: 120, windowSeconds: minute },
  auth_user_metadata: { limit: 60, windowSeconds: minute },
  auth_user_password_change: { limit: 6, windowSeconds: hour },
  auth_user_phone_change_cancel: { limit: 12, windowSeconds: hour },
  auth_user_phone_change_request: {
    ...{ limit: 6, windowSeconds: hour, cooldownSeconds: minute },
    action: requestPhone,
  },
  auth_user_preferred_language: { limit: 24, windowSeconds: hour },
  auth_user_unlink_provider: { limit: 12, windowSeconds: hour },
  auth_user_update_username: { limit: 12, windowSeconds: hour },
  delegated_token_mint: { limit: 60, windowSeconds: minute },
  group_create: { limit: 12, windowSeconds: day, id: "user id" },
  group_settings: { limit: 12, windowSeconds: day, id: "user id" },
  // Calls with a wrong management token only; the right one is never throttled.
  management_auth: { limit: 20, windowSeconds: minute },
} as const satisfies Readonly<Record<string, Bucket>>;

export type BucketName = keyof typeof buckets;

const table: Readonly<Record<string, Bucket>> = buckets;

/** The bucket of that name, or {@link defaultBucket}. */
export function bucketOf(name: string): Bucket {
  return (Object.hasOwn(table, name) ? table[name] : undefined) ?? defaultBucket;
}

/** `metadata.action` of refusals of the bucket. */
export function actionOf(name: string): string {
  return bucketOf(name).action ?? name.replace(/^auth_/, "");
}
