import { hostName, origin, webAddress } from "../network.ts";
import { boolean, duration, integer, list, oneOf, onOff, path, pattern, text, timestamp } from "../values.ts";
import { optional, variable } from "../variable.ts";

const day = 86_400_000;

/** Tokens, sessions, registration, passwords, second factors, passkeys, languages. */
export const accounts = {
  accessTtl: variable("AUTHKIT_ACCESS_TOKEN_TTL", duration, 0, {
    origin: "later",
    yaml: "tokens.access_ttl",
    defaultText: "`15m` (also for `0`)",
    doc: "Lifetime of user access tokens: 1 s to 24 h.",
  }),
  skew: variable("AUTHKIT_TOKEN_SKEW", duration, 5_000, {
    yaml: "tokens.skew",
    defaultText: "`5s`",
    doc: "Clock difference tolerated when tokens are verified: 0 to 5 min.",
  }),
  longMachineTokens: variable("AUTHKIT_ALLOW_LONG_MACHINE_TOKENS", boolean, false, {
    yaml: "tokens.allow_long_machine_tokens",
    doc: "Lift the 24-hour limit on delegated and remote-application tokens.",
  }),
  machineTokenIds: variable("AUTHKIT_MACHINE_TOKEN_IDS", onOff, false, {
    yaml: "tokens.machine_ids",
    defaultText: "`off`",
    doc: "Give remote-application and custom tokens a `jti` as well, so that the audit trail names each. Without it they have one only when asked for.",
  }),
  refreshTtl: variable("AUTHKIT_REFRESH_TOKEN_TTL", duration, 0, {
    origin: "later",
    yaml: "sessions.refresh_ttl",
    defaultText: "`0`: sessions never expire",
    doc: "Lifetime of a session, counted from its sign-in, not from its last refresh; zero or less = unlimited.",
  }),
  sessionsPerUser: variable("AUTHKIT_SESSION_MAX_PER_USER", integer(), 0, {
    origin: "later",
    yaml: "sessions.max_per_user",
    defaultText: "`3` (also for `0`)",
    doc: "Sessions a user may hold; the least recently used one makes room. Negative = unlimited.",
  }),
  rotationGrace: variable("AUTHKIT_REFRESH_ROTATION_GRACE", duration, 0, {
    origin: "later",
    yaml: "sessions.rotation_grace",
    defaultText: "`30s` (also for `0`)",
    doc: "How long the previous refresh token is still taken for a repeated request. Negative = off.",
  }),
  refreshCookie: variable("AUTHKIT_REFRESH_COOKIE", boolean, false, {
    yaml: "sessions.refresh_cookie",
    doc: "Deliver refresh tokens in the HttpOnly cookie `authkit_rt` instead of in bodies, popups and fragments.",
  }),
  newDeviceNotice: variable("AUTHKIT_NEW_DEVICE_NOTICE", onOff, true, {
    yaml: "sessions.new_device_notice",
    defaultText: "`on`",
    doc: "Mail the owner of an account when it is signed in to from a device or browser it has not been used with.",
  }),

  registrationMode: variable("AUTHKIT_REGISTRATION_MODE", oneOf("open", "invite_only", "closed"), "open", {
    yaml: "registration.mode",
    doc: "Who may register.",
  }),
  verification: variable("AUTHKIT_REGISTRATION_VERIFICATION", oneOf("none", "optional", "required"), "none", {
    origin: "contract",
    yaml: "registration.verification",
    doc: "Whether an e-mail address or phone number must be proven at registration. `required` needs a mail or SMS sender.",
  }),
  verificationExemptBefore: variable(
    "AUTHKIT_VERIFICATION_EXEMPT_BEFORE",
    timestamp,
    new Date("2025-01-01T00:00:00Z"),
    {
      yaml: "registration.verification_exempt_before",
      defaultText: "`2025-01-01`",
      doc: "Accounts made before this time may log in unverified under `required`.",
    },
  ),
  hideExisting: variable("AUTHKIT_HIDE_EXISTING_ACCOUNTS", boolean, false, {
    yaml: "registration.hide_existing",
    doc: "Never tell whether an address has an account: registration, sign-in and requests for messages answer for every address alike, and the owner of a taken one is written to instead. Needs `AUTHKIT_REGISTRATION_VERIFICATION=required`, unless nobody can register.",
  }),
  hideFromManagers: variable("AUTHKIT_HIDE_ACCOUNTS_FROM_MANAGERS", boolean, false, {
    yaml: "registration.hide_from_managers",
    doc: "Answer a manager who adds a member by e-mail address with an invite link alone, whether or not there is such an account. Needs a registration mode other than `closed`.",
  }),
  uncheckedCreateUser: variable("AUTHKIT_CREATE_USER_UNCHECKED", boolean, false, {
    yaml: "registration.create_user_unchecked",
    doc: "Let the management method `CreateUser` store any e-mail address and username, as the earlier generation of the contract does.",
  }),
  reservedUsernames: variable(
    "AUTHKIT_RESERVED_USERNAMES",
    list(text),
    ["admin", "superuser", "root", "sudo"],
    {
      yaml: "registration.reserved_usernames",
      doc: "Names nobody may choose at registration or renaming.",
    },
  ),
  verificationSendTimeout: variable("AUTHKIT_VERIFICATION_SEND_TIMEOUT", duration, 0, {
    origin: "later",
    yaml: "registration.verification_send_timeout",
    defaultText: "`15s` (also for zero and less)",
    doc: "Longest one delivery of a message may take.",
  }),

  passwordMinLength: variable("AUTHKIT_PASSWORD_MIN_LENGTH", integer({ min: 8, max: 256 }), 8, {
    yaml: "passwords.min_length",
    doc: "Characters a new password must have; the least, 8, counts bytes.",
  }),
  passwordMaxLength: variable("AUTHKIT_PASSWORD_MAX_LENGTH", integer({ min: 64, max: 65_536 }), 1_024, {
    yaml: "passwords.max_length",
    doc: "Bytes a new password may have.",
  }),
  argon2: optional(
    "AUTHKIT_ARGON2",
    pattern(
      "PHC parameters",
      "Argon2id parameters `m=<KiB>,t=<iterations>,p=<lanes>`",
      /^m=\d{1,8},t=\d{1,3},p=\d{1,3}$/,
    ),
    {
      yaml: "passwords.argon2",
      defaultText: "`m=65536,t=1,p=1`",
      doc: "Cost of new password hashes as in a PHC string: m 8 × p KiB to 1 GiB, t 1–20, p 1–16. Weaker stored hashes are replaced at login.",
    },
  ),
  hashQueueLimit: variable("AUTHKIT_HASH_QUEUE_LIMIT", integer({ min: 0, max: 100_000 }), 0, {
    yaml: "passwords.queue_limit",
    defaultText: "`0`: 64 for each hashing process",
    doc: "Requests that may wait for a password hash at most; further ones are answered 503 at once, and so are those that would wait too long.",
  }),
  breachedCheck: optional("AUTHKIT_PASSWORD_BREACHED_CHECK", boolean, {
    yaml: "passwords.breached_check",
    defaultText: "`true` when a filter file is set",
    doc: "Refuse new passwords known from breaches, looked up offline.",
  }),
  breachedFilter: optional("AUTHKIT_PASSWORD_BREACHED_FILTER_PATH", path, {
    yaml: "passwords.breached_filter_path",
    doc: "Filter file of breached passwords.",
  }),
  contextWords: variable("AUTHKIT_PASSWORD_CONTEXT_WORDS", list(text), [], {
    yaml: "passwords.context_words",
    defaultText: "none",
    doc: "Words a new password may not consist of, such as the product's name.",
  }),

  passwordless: variable("AUTHKIT_PASSWORDLESS", boolean, false, {
    yaml: "passwordless.enabled",
    doc: "Login by code or link sent to an e-mail address or phone.",
  }),
  passwordlessAutoRegister: variable("AUTHKIT_PASSWORDLESS_AUTO_REGISTER", boolean, false, {
    yaml: "passwordless.auto_register",
    doc: "Make an account when a passwordless login names an unknown address.",
  }),

  mfaMode: variable("AUTHKIT_2FA_MODE", oneOf("disabled", "optional", "required"), "optional", {
    origin: "later",
    yaml: "mfa.mode",
    doc: "Whether users may or must have a second factor.",
  }),
  mfaEndsSessions: variable("AUTHKIT_2FA_ENDS_SESSIONS", boolean, false, {
    yaml: "mfa.ends_sessions",
    doc: "End the other sessions of an account when it enrols its first second factor; otherwise they are asked for it at their next refresh.",
  }),
  mfaMethods: variable(
    "AUTHKIT_2FA_METHODS",
    list(oneOf("email", "sms", "totp"), { nonEmpty: true }),
    ["email", "sms", "totp"],
    {
      origin: "later",
      yaml: "mfa.methods",
      defaultText: "all",
      doc: "Kinds of second factor offered.",
    },
  ),

  mfaPasskeyCounts: variable("AUTHKIT_2FA_PASSKEY_COUNTS", onOff, false, {
    yaml: "mfa.passkey_counts",
    defaultText: "`off`",
    doc: "Under mode `required` a sign-in by passkey needs no further factor. Off, people who have a passkey alone are still sent to enrol one.",
  }),
  stepUpStrict: variable("AUTHKIT_STEP_UP_STRICT", onOff, false, {
    yaml: "step_up.strict",
    defaultText: "`off`",
    doc: "Whoever has a second factor renews a session's authentication with it; a password or provider alone no longer does.",
  }),
  stepUpForAdmin: variable("AUTHKIT_STEP_UP_FOR_ADMIN", onOff, false, {
    yaml: "step_up.admin",
    defaultText: "`off`",
    doc: "Demand fresh authentication before users make API keys or register remote applications, and before they change other people's accounts.",
  }),

  passkeys: variable("AUTHKIT_PASSKEYS", onOff, true, {
    yaml: "passkeys.enabled",
    defaultText: "`on`",
    doc: "Passkeys. Off, their routes do not exist and nothing of their settings is looked at.",
  }),
  passkeyRpId: optional("AUTHKIT_PASSKEY_RPID", hostName, {
    origin: "later",
    yaml: "passkeys.rp_id",
    defaultText: "the issuer's host",
    doc: "Relying-party id of passkeys. Changing it makes every registered passkey useless.",
  }),
  passkeyRpName: optional("AUTHKIT_PASSKEY_RP_DISPLAY_NAME", text, {
    origin: "later",
    yaml: "passkeys.rp_name",
    defaultText: "the issuer",
    doc: "Name browsers show when a passkey is made.",
  }),
  passkeyOrigins: optional("AUTHKIT_PASSKEY_ORIGINS", list(origin, { nonEmpty: true }), {
    origin: "later",
    yaml: "passkeys.origins",
    defaultText: "the issuer's origin, and the base URL's when it lies under the relying-party id",
    doc: "Origins passkeys are used from; the host of each is the relying-party id or below it.",
  }),
  passkeyUserVerification: variable(
    "AUTHKIT_PASSKEY_USER_VERIFICATION",
    oneOf("required", "preferred"),
    "required",
    {
      yaml: "passkeys.user_verification",
      doc: "What browsers are asked for. A ceremony without user verification is refused in any case.",
    },
  ),
  passkeysPerUser: variable("AUTHKIT_PASSKEY_MAX_PER_USER", integer({ min: 1, max: 1_000 }), 20, {
    yaml: "passkeys.max_per_user",
    doc: "Passkeys a user may register.",
  }),

  languages: optional("AUTHKIT_LANGUAGES", list(text, { nonEmpty: true }), {
    origin: "later",
    yaml: "languages.supported",
    defaultText: "`en`",
    doc: "Supported languages, two-letter codes.",
  }),
  defaultLanguage: optional("AUTHKIT_DEFAULT_LANGUAGE", text, {
    origin: "later",
    yaml: "languages.default",
    defaultText: "`en`",
    doc: "Language when a request names no supported one; must be among the supported ones.",
  }),

  linkStepUp: variable("AUTHKIT_LINK_REQUIRES_STEP_UP", onOff, false, {
    yaml: "federation.link_requires_step_up",
    defaultText: "`off`",
    doc: "Demand fresh authentication before an identity provider is linked. Recommended for new deployments.",
  }),
  linkSession: variable("AUTHKIT_LINK_SESSION", onOff, true, {
    yaml: "federation.link_session",
    defaultText: "`on`",
    doc: "Linking a provider ends in a new session and new tokens, as clients of the contract expect. Off, the front end is told `linked` and goes on with the tokens it has.",
  }),
  legacySubjects: variable("AUTHKIT_LEGACY_SUBJECTS", oneOf("rewrite", "keep"), "rewrite", {
    yaml: "federation.legacy_subjects",
    doc: "Numeric provider subjects stored in exponent form: rewritten when met, or kept for a database still shared with a server of the earlier generation.",
  }),
  unverifiedEmail: variable("AUTHKIT_OIDC_UNVERIFIED_EMAIL", oneOf("verify", "store"), "verify", {
    yaml: "federation.unverified_email",
    doc: "Address of a new account that its provider has not verified: asked to be confirmed before it is the account's, or stored at once, which keeps its true owner from registering it.",
  }),
  oidcResultMode: variable("AUTHKIT_OIDC_RESULT_MODE", oneOf("fragment", "code"), "fragment", {
    yaml: "federation.result_mode",
    doc: "Hand tokens to the front end in the URL fragment, or hand it a one-time code for `POST /oidc/result`.",
  }),
  solanaNetwork: optional("AUTHKIT_SOLANA_NETWORK", oneOf("mainnet", "mainnet-beta", "testnet", "devnet"), {
    yaml: "solana.network",
    defaultText:
      "no wallet routes; stored wallets are looked up on `testnet` in development, `mainnet` in production",
    doc: "Network of wallet sign-in; setting it mounts the routes.",
  }),
  solanaDomain: optional("AUTHKIT_SOLANA_DOMAIN", hostName, {
    yaml: "solana.domain",
    defaultText: "the host of the base URL",
    doc: "Domain shown in and demanded of wallet messages.",
  }),
  solanaNameService: variable("AUTHKIT_SOLANA_SNS", onOff, false, {
    yaml: "solana.name_service",
    defaultText: "`off`",
    doc: "Look up `.sol` names of wallets at a third party.",
  }),
  solanaNameServiceUrl: optional("AUTHKIT_SOLANA_SNS_URL", webAddress, {
    yaml: "solana.name_service_url",
    defaultText: "`https://sdk-proxy.sns.id/favorite-domain`",
    doc: "Resolver asked for `.sol` names; the address is appended.",
  }),

  apiKeyPrefix: variable(
    "AUTHKIT_API_KEY_PREFIX",
    pattern("string", "up to 16 lower-case letters and digits (`[a-z0-9]{0,16}`)", /^[a-z0-9]{0,16}$/),
    "",
    {
      origin: "later",
      yaml: "api_keys.prefix",
      defaultText: "empty",
      doc: "Put before the `st_` marker of API keys.",
    },
  ),
  apiKeyMaxTtl: variable("AUTHKIT_API_KEY_MAX_TTL", duration, 0, {
    yaml: "api_keys.max_ttl",
    defaultText: "`0`: no limit",
    doc: "Longest lifetime an API key may be given.",
  }),
  limitsEnabled: variable("AUTHKIT_RATE_LIMITS", onOff, true, {
    yaml: "limits.enabled",
    defaultText: "`on`",
    doc: "Rate limits. Off only for measurements and closed networks.",
  }),

  sessionEventRetention: variable("AUTHKIT_SESSION_EVENT_RETENTION", duration, 0, {
    yaml: "retention.session_events",
    defaultText: "`8760h` (also for `0`)",
    doc: "How long sign-in history is kept. Negative = for ever.",
  }),
  purgeRevokesApiKeys: variable("AUTHKIT_PURGE_REVOKES_API_KEYS", boolean, false, {
    yaml: "retention.purge_revokes_api_keys",
    doc: "Revoke the API keys an account has made when it is removed for good; otherwise they stay, as machines', and the audit trail names them.",
  }),
  purgeDeletedAfter: variable("AUTHKIT_PURGE_DELETED_AFTER", duration, 0, {
    yaml: "retention.purge_deleted_after",
    defaultText: "`0`: never; `720h` is usual",
    doc: "Time after which deleted users are removed for good.",
  }),
  auditRetention: variable("AUTHKIT_AUDIT_RETENTION", duration, 365 * day, {
    yaml: "retention.audit",
    defaultText: "`8760h`",
    doc: "How long audit rows are kept. Zero or negative = for ever.",
  }),
};
