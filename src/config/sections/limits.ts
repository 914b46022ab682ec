import type { LimitPolicyConfig } from "../config.ts";
import { either, leaf, mapOf, maybe, object, type Position, refuse, required, type Shape } from "../shape.ts";
import { duration, integer, oneOf } from "../values.ts";

/** Names of the built-in rate-limit buckets. */
export const limitBuckets = [
  "default",
  "auth_token",
  "auth_register",
  "auth_register_availability",
  "auth_register_resend_email",
  "auth_register_resend_phone",
  "auth_register_abandon",
  "auth_invite_create",
  "auth_invite_redeem",
  "auth_password_login",
  "auth_password_strength",
  "auth_passwordless_start",
  "auth_passwordless_confirm",
  "auth_passkey_register",
  "auth_passkey_login",
  "auth_passkeys",
  "auth_logout",
  "auth_sessions_current",
  "auth_sessions_list",
  "auth_sessions_revoke",
  "auth_sessions_revoke_all",
  "auth_pwd_reset_request",
  "auth_pwd_reset_confirm",
  "auth_email_verify_request",
  "auth_email_verify_confirm",
  "auth_phone_verify_request",
  "auth_phone_verify_confirm",
  "auth_user_password_change",
  "auth_user_me",
  "auth_user_metadata",
  "auth_user_update_username",
  "auth_user_update_email",
  "auth_user_update_phone",
  "auth_user_preferred_language",
  "auth_user_email_change_request",
  "auth_user_email_change_confirm",
  "auth_user_email_change_resend",
  "auth_user_email_change_cancel",
  "auth_user_phone_change_request",
  "auth_user_phone_change_confirm",
  "auth_user_phone_change_resend",
  "auth_user_phone_change_cancel",
  "auth_user_delete",
  "auth_user_unlink_provider",
  "auth_step_up_password",
  "auth_oidc_start",
  "auth_oidc_callback",
  "auth_solana_challenge",
  "auth_solana_login",
  "auth_solana_link",
  "auth_2fa_send",
  "auth_2fa_start_phone",
  "auth_2fa_start_totp",
  "auth_2fa_enable",
  "auth_2fa_disable",
  "auth_2fa_regenerate_codes",
  "auth_2fa_verify",
  "auth_admin_roles_grant",
  "auth_admin_roles_revoke",
  "auth_admin_user_sessions_list",
  "auth_admin_user_sessions_revoke",
  "auth_admin_user_sessions_revoke_all",
  "auth_admin_password_reset",
  "application_register",
  "application_rotate",
  "group_settings",
  "group_create",
  "delegated_token_mint",
  "management_auth",
] as const;

type Bucket = LimitPolicyConfig["buckets"][string];

const numbers = object({
  limit: required(leaf(integer({ min: 1, max: 1_000_000 })), "Requests in the window."),
  window: required(leaf(duration), "Sliding window, 1 s to 168 h."),
  cooldown: maybe(leaf(duration), "Least time between two requests."),
});

const bucketNumbers: Shape<Exclude<Bucket, "off">> = {
  schema: numbers.schema,
  read(tree, at) {
    const given = numbers.read(tree, at);
    if (given === undefined) return undefined;
    if (given.window < 1_000 || given.window > 168 * 3_600_000) return outOfRange(at, "window");
    if (given.cooldown !== undefined && (given.cooldown < 0 || given.cooldown > given.window))
      return outOfRange(at, "cooldown");
    return {
      limit: given.limit,
      windowSeconds: given.window / 1_000,
      ...(given.cooldown === undefined ? {} : { cooldownSeconds: given.cooldown / 1_000 }),
    };
  },
};

function outOfRange(at: Position, key: string): undefined {
  return refuse(at, `has a ${key} out of range`, key === "window" ? "use 1s to 168h" : "use 0 to the window");
}

/** `limits.buckets`: overrides of the built-in table. */
export const buckets: Shape<LimitPolicyConfig["buckets"]> = mapOf(
  either(leaf(oneOf("off")), bucketNumbers, (tree) => tree.kind === "scalar"),
  limitBuckets,
);
