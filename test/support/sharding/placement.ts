/**
 * Where the tables of a distributed PostgreSQL are placed, and by what each statement of a hot path finds its rows. docs/scaling.md tells
 * operators the same; `test/e2e/sharding.test.ts` holds this, the statements that run and the page together.
 */

/** Tables placed by the account, and the column that names it. */
export const placedByAccount: Readonly<Record<string, string>> = {
  users: "id",
  user_passwords: "user_id",
  user_providers: "user_id",
  user_renames: "user_id",
  user_passkey_handles: "user_id",
  user_passkeys: "user_id",
  mfa_settings: "user_id",
  mfa_factors: "user_id",
  refresh_sessions: "user_id",
  session_events: "user_id",
  group_user_roles: "user_id",
  group_membership_invites: "user_id",
};

/** Small tables that every node has whole. */
export const referenceTables: readonly string[] = [
  "permission_groups",
  "group_persona_parents",
  "group_custom_roles",
  "group_remote_application_roles",
  "permission_group_slug_tombstones",
  "api_keys",
  "remote_applications",
  "remote_application_attribute_defs",
  "signing_keys",
  "signed_documents",
  "bootstrap_applies",
  "schema_migrations",
];

/** Tables no sign-in reads, on one node or by a key of their own. */
export const elsewhere: Readonly<Record<string, string>> = {
  audit_log: "written only; by id",
  account_registration_invites: "by the hash of the code",
  group_invite_links: "by the hash of the code",
  ephemeral: "in Redis instead",
  rate_limits: "in Redis instead",
};

/**
 * - `account`: every table that is placed by the account is asked for one account.
 * - `look-up`: the account is what it is to find. It asks all shards; docs/scaling.md names what makes it one.
 * - `no account`: touches none of those tables.
 */
export type FoundBy = "account" | "look-up" | "no account";

/** Paths people and back ends use all the time: routes, and methods of the management API. */
export const hotPaths: readonly string[] = [
  "POST /api/v1/register",
  "POST /api/v1/email/verify/confirm",
  "POST /api/v1/password/login",
  "POST /api/v1/2fa/verify",
  "POST /api/v1/passwordless/start",
  "POST /api/v1/passwordless/confirm",
  "POST /api/v1/passkeys/login/begin",
  "POST /api/v1/passkeys/login/finish",
  "GET /api/v1/oidc/{provider}/login",
  "GET /api/v1/oidc/{provider}/callback",
  "POST /api/v1/solana/challenge",
  "POST /api/v1/solana/login",
  "POST /api/v1/token",
  "POST /api/v1/sessions/current",
  "GET /api/v1/me",
  "GET /api/v1/user/sessions",
  "DELETE /api/v1/logout",
  "GET /.well-known/jwks.json",
  "ExchangeRefreshToken",
  "GetUserByEmail",
  "IsUserAllowed",
  "Can",
  "ResolveAPIKeyDetailed",
];

/** Every statement that runs on them. */
export const hotStatements: Readonly<Record<string, FoundBy>> = {
  "groups.chainRoles": "account",
  "identities.lockUser": "account",
  "identities.removeOtherSubjects": "account",
  "identities.upsert": "account",
  "login.selectAgents": "account",
  "mfa.selectState": "account",
  "mfa.totpSecret": "account",
  "mfa.useBackupCode": "account",
  "mfa.useTotpStep": "account",
  "passkeys.use": "account",
  "profile.read": "account",
  "sessions.openSession": "account",
  "sessions.revokeOne": "account",
  "sessions.rotate": "account",
  "sessions.selectLive": "account",
  "sessions.selectSubject": "account",
  "users.byId": "account",
  "users.insert": "account",
  "users.touchLogin": "account",
  "verification.markEmail": "account",
  "users.byEmail": "look-up",
  "users.byPhone": "look-up",
  "users.byUsername": "look-up",
  "users.taken": "look-up",
  "passwords.readByEmail": "look-up",
  "passwords.readByPhone": "look-up",
  "passwords.readByUsername": "look-up",
  "sessions.selectByCurrent": "look-up",
  "sessions.selectByPrevious": "look-up",
  "identities.find": "look-up",
  "passkeys.forLogin": "look-up",
  "apiKeys.byKeyId": "no account",
  "audit.insertRecords": "no account",
  "groups.bySlug": "no account",
};
