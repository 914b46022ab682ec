import { expect } from "vitest";
import { type Cases, nobody, noUuid, type World } from "./case.ts";

const invalidId = { invalid_user: () => ({ userId: noUuid }) };
const minute = 60 * 1_000_000_000;
const bcrypt = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
const password = "a long enough password";

const entitlement = { opts: { entitlement: "pro" } };
const noProvider = "authkit: entitlement filtering requires an EntitlementFilterProvider";
const later = { entitlement_filter_unavailable: "the later generation's name for it" };
const hasKey = { missing_signer: "the deployment has a signing key" };

const digest = `sha256:${"0".repeat(64)}`;

/** Document references of that many types. */
function names(count: number, padding: string): [string, string][] {
  return Array.from({ length: count }, (_, n) => [`catalog${n}${padding}/v1`, digest]);
}

function delegatedWith(documents: Readonly<Record<string, string>>) {
  return { p: { delegatedSubject: "u1", documents } };
}

function link(world: World, subject: string) {
  return { userId: world.userId, provider: "github", subject, email: "x@example.com" };
}

function linkByIssuer(userId: string, subject: string) {
  return { userId, issuer: "https://accounts.example.com", providerSlug: "example", subject, email: null };
}

function manifest(world: World, user: object) {
  return { manifest: { users: [{ username: `boot-${world.tag}`, ...user }] }, opts: {} };
}

/** Administration, passwords, sessions, providers, tokens, upkeep. */
export const operationCases: Cases = {
  adminListUsers: {
    args: (world) => ({ opts: { search: world.email } }),
    check: (page, world) => {
      expect(page).toMatchObject({ total: 1, limit: 50, offset: 0 });
      expect(page.users?.[0]?.id).toBe(world.userId);
    },
    errors: { [noProvider]: () => entitlement },
    unreachable: later,
  },
  adminCountUsers: {
    args: (world) => ({ opts: { search: world.email } }),
    check: (count) => expect(count).toBe(1),
    errors: { [noProvider]: () => entitlement },
    unreachable: later,
  },
  adminGetUser: {
    args: (world) => ({ id: world.userId }),
    check: (user, world) => expect(user).toMatchObject({ username: world.username, roles: null }),
    errors: { invalid_user: () => ({ id: noUuid }), user_not_found: () => ({ id: nobody }) },
  },
  adminListUserSessions: {
    args: ({ userId }) => ({ userId }),
    check: (sessions) => expect(sessions).toBeNull(),
    errors: invalidId,
  },
  adminRevokeUserSessions: { args: ({ userId }) => ({ userId }), errors: invalidId },
  adminSetPassword: {
    args: ({ userId }) => ({ userId, new: password }),
    check: async (_, { client, userId }) =>
      expect(await client.verifyUserPassword({ userId, pass: password })).toBe(true),
    errors: {
      invalid_user: () => ({ userId: "", new: password }),
      password_too_short: ({ userId }) => ({ userId, new: "short" }),
      user_not_found: () => ({ userId: nobody, new: password }),
    },
    unreachable: {
      password_too_common: "only with the check for breached passwords",
      password_breached: "the same",
    },
  },
  banUser: {
    args: ({ userId, otherId }) => ({ userId, reason: " spam ", until: null, bannedBy: otherId }),
    check: async (_, { client, userId, otherId }) => {
      expect(await client.adminGetUser({ id: userId })).toMatchObject({
        banReason: "spam",
        bannedBy: otherId,
      });
      expect(await client.isUserAllowed({ userId })).toBe(false);
    },
    errors: {
      invalid_user: () => ({ userId: "", bannedBy: "" }),
      invalid_until: ({ userId }) => ({ userId, until: new Date(0), bannedBy: "" }),
      user_not_found: ({ userId }) => ({ userId, bannedBy: nobody }),
    },
  },
  unbanUser: {
    before: ({ client, userId }) => client.banUser({ userId, bannedBy: "" }),
    args: ({ userId }) => ({ userId }),
    check: async (_, { client, userId }) => expect(await client.isUserAllowed({ userId })).toBe(true),
    errors: { invalid_user: () => ({ userId: "" }) },
  },
  changePassword: {
    before: ({ client, userId }) => client.adminSetPassword({ userId, new: "the first password" }),
    args: ({ userId }) => ({ userId, current: "the first password", new: password, keepSessionId: null }),
    check: async (_, { client, userId }) =>
      expect(await client.verifyUserPassword({ userId, pass: password })).toBe(true),
    errors: {
      invalid_user: () => ({ userId: "", current: "", new: password }),
      password_too_short: ({ userId }) => ({ userId, current: password, new: "short" }),
      invalid_credentials: async ({ client, userId }) => {
        await client.adminSetPassword({ userId, new: "the first password" });
        return { userId, current: "another password", new: password };
      },
      user_not_found: () => ({ userId: nobody, current: "", new: password }),
      password_reset_required: async ({ client, otherId }) => {
        await client.upsertPasswordHash({
          userId: otherId,
          hash: "reset-required",
          algo: "legacy-reset-required",
          params: null,
        });
        return { userId: otherId, current: "x", new: password };
      },
    },
    unreachable: {
      password_too_common: "only with the check for breached passwords",
      password_breached: "the same",
    },
  },
  upsertPasswordHash: {
    args: ({ userId }) => ({ userId, hash: bcrypt, algo: "bcrypt", params: null }),
    errors: {
      invalid_user: () => ({ userId: "", hash: bcrypt, algo: "bcrypt", params: null }),
      invalid_hash_params: ({ userId }) => ({
        userId,
        hash: bcrypt,
        algo: "bcrypt",
        params: new Uint8Array(),
      }),
      unsupported_hash_algo: ({ userId }) => ({ userId, hash: "x", algo: "rot13", params: null }),
      user_not_found: () => ({ userId: nobody, hash: bcrypt, algo: "bcrypt", params: null }),
    },
  },
  verifyUserPassword: {
    args: ({ userId }) => ({ userId, pass: "whatever" }),
    check: (match) => expect(match).toBe(false),
  },
  listUserSessions: {
    args: ({ userId }) => ({ userId }),
    check: (sessions) => expect(sessions).toBeNull(),
    errors: invalidId,
  },
  revokeAllSessions: { args: ({ userId }) => ({ userId, keepSessionId: null }), errors: invalidId },
  linkProvider: {
    args: (world) => link(world, `1-${world.tag}`),
    check: async (_, { client, userId }) => {
      await client.unlinkProvider({ userId, provider: "github" });
    },
    errors: {
      invalid_user: () => ({ userId: noUuid, provider: "github", subject: "1", email: null }),
      user_not_found: (world) => ({ ...link(world, `2-${world.tag}`), userId: nobody }),
      provider_already_linked: async (world) => {
        await world.client.linkProvider({ ...link(world, `3-${world.tag}`), userId: world.otherId });
        return link(world, `3-${world.tag}`);
      },
      invalid_request: (world) => link(world, " "),
    },
  },
  linkProviderByIssuer: {
    before: ({ client, userId, tag }) => client.linkProviderByIssuer(linkByIssuer(userId, `0-${tag}`)),
    args: ({ userId, tag }) => linkByIssuer(userId, `1-${tag}`),
    errors: {
      invalid_user: () => linkByIssuer(noUuid, "1"),
      user_not_found: ({ tag }) => linkByIssuer(nobody, `2-${tag}`),
      provider_already_linked: async ({ client, userId, otherId, tag }) => {
        await client.linkProviderByIssuer(linkByIssuer(userId, `3-${tag}`));
        return linkByIssuer(otherId, `3-${tag}`);
      },
    },
  },
  getProviderUsername: {
    args: ({ userId }) => ({ userId, provider: "github" }),
    check: (name) => expect(name).toBe(""),
    errors: { invalid_user: () => ({ userId: noUuid, provider: "github" }) },
  },
  providerUsernames: {
    args: ({ userId }) => ({ userIds: [userId], provider: "github" }),
    check: (names) => expect(names).toEqual({}),
    errors: { invalid_user: () => ({ userIds: [noUuid], provider: "github" }) },
  },
  unlinkProvider: {
    args: ({ userId }) => ({ userId, provider: "github" }),
    errors: { invalid_user: () => ({ userId: noUuid, provider: "github" }) },
  },
  exchangeRefreshToken: {
    errors: { "invalid refresh token": () => ({ refreshToken: "nonsense", ua: "", ip: "192.0.2.1" }) },
    unreachable: {
      ...hasKey,
      "2fa_enrollment_required": "sessions of this table have no second factors",
      "refresh token reuse detected": "proven with the sessions, which this API cannot open",
      user_banned: "the same",
      user_disabled: "replaced by user_banned",
    },
  },
  issueAccessToken: {
    args: ({ userId }) => ({ userId, email: "", extra: {} }),
    check: ({ token }) => expect(token.split(".")).toHaveLength(3),
    errors: {
      invalid_user: () => ({ userId: noUuid, email: "", extra: {} }),
      user_not_found: () => ({ userId: nobody, email: "", extra: {} }),
      user_banned: async ({ client, otherId }) => {
        await client.banUser({ userId: otherId, bannedBy: "" });
        return { userId: otherId, email: "", extra: {} };
      },
    },
    unreachable: hasKey,
  },
  mintAccessToken: {
    args: ({ userId }) => ({ userId, extra: { plan: "pro" } }),
    check: ({ token }) => expect(token.split(".")).toHaveLength(3),
    errors: {
      invalid_user: () => ({ userId: noUuid, extra: {} }),
      user_not_found: () => ({ userId: nobody, extra: {} }),
      user_banned: async ({ client, otherId }) => {
        await client.banUser({ userId: otherId, bannedBy: "" });
        return { userId: otherId, extra: {} };
      },
    },
    unreachable: hasKey,
  },
  mintCustomJwt: {
    args: ({ userId }) => ({ opts: { claims: { a: 1 }, ttl: minute, type: "example", subject: userId } }),
    errors: {
      custom_jwt_empty_claims: () => ({ opts: { claims: {}, ttl: minute, type: "example" } }),
      custom_jwt_reserved_claim: () => ({ opts: { claims: { iss: "x" }, ttl: minute, type: "example" } }),
      custom_jwt_reserved_type: () => ({ opts: { claims: { a: 1 }, ttl: minute, type: "access+jwt" } }),
      custom_jwt_ttl_required: () => ({ opts: { claims: { a: 1 }, ttl: 0, type: "example" } }),
      custom_jwt_too_many_claims: () => {
        const claims = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`c${n}`, n]));
        return { opts: { claims, ttl: minute, type: "example" } };
      },
    },
    unreachable: hasKey,
  },
  mintServiceJwt: {
    args: () => ({ opts: { subject: "billing", audiences: ["authkit"], lifetime: minute } }),
    errors: { invalid_service_jwt: () => ({ opts: {} }) },
    unreachable: hasKey,
  },
  mintDelegatedAccessToken: {
    args: () => ({
      p: { issuer: "https://app.example.com", audiences: ["authkit"], delegatedSubject: "u1", ttl: minute },
    }),
    errors: {
      invalid_delegated_access: () => ({ p: {} }),
      too_many_document_references: () => delegatedWith(Object.fromEntries(names(17, ""))),
      invalid_document_reference: () => delegatedWith({ "catalog/v1": "sha256:short" }),
      duplicate_document_reference: () => delegatedWith({ "catalog/v1": digest, " catalog/v1": digest }),
      document_references_too_large: () => delegatedWith(Object.fromEntries(names(16, "x".repeat(240)))),
      reserved_document_attribute: () => ({ p: { delegatedSubject: "u1", attributes: { documents: {} } } }),
    },
    unreachable: hasKey,
  },
  mintRemoteApplicationAccessToken: {
    args: () => ({ p: { issuer: "https://app.example.com", audiences: ["authkit"], ttl: minute } }),
    unreachable: { ...hasKey, invalid_remote_application: "every parameter has a default" },
  },
  listEntitlements: { args: ({ userId }) => ({ userId }), check: (list) => expect(list).toBeNull() },
  applyBootstrapManifest: {
    args: (world) => manifest(world, { metadata: { seeded: true }, password: { plaintext: password } }),
    check: (result) =>
      expect(result).toMatchObject({ usersCreated: 1, passwordsSet: 1, alreadyApplied: false }),
    errors: {
      bootstrap_database_not_empty: (world) => ({
        ...manifest(world, {}),
        opts: { startupOnly: true, name: world.tag },
      }),
      invalid_bootstrap_manifest: (world) => manifest(world, { username: " " }),
      password_too_short: (world) => manifest(world, { password: { plaintext: "short" } }),
      invalid_email: (world) => manifest(world, { email: "nonsense" }),
      invalid_phone_number: (world) => manifest(world, { phoneNumber: "nonsense" }),
      invalid_banned_by: (world) => manifest(world, { banned: true, bannedBy: nobody }),
      email_in_use: (world) => manifest(world, { username: world.username, email: world.otherEmail }),
      phone_in_use: (world) => manifest(world, { username: world.otherUsername, phoneNumber: world.phone }),
      unsupported_hash_algo: (world) =>
        manifest(world, { username: `h-${world.tag}`, password: { hash: "x", hashAlgo: "rot13" } }),
      username_too_short: (world) => manifest(world, { username: "ab" }),
    },
    unreachable: {
      "2fa_enrollment_required": "a matter of roles, which have their own suite",
      invalid_hash_params: "params of a manifest are JSON already",
      invalid_remote_application: "a matter of applications, which have their own suite",
      reserved_issuer: "the same",
      owner_slug_taken: "only in a race: the account with the name is the one brought into line",
      permission_group_not_found: "a matter of groups, which have their own suite",
      role_not_assignable: "the same",
      username_cannot_contain_at: "the rules of import, covered there",
      username_cannot_start_with_plus: "the same",
      username_invalid_characters: "the same",
      username_must_start_with_letter: "the same",
      username_too_long: "the same",
    },
  },
  cleanupExpiredAuthState: { args: () => ({}) },
  validateVerificationConfiguration: {
    args: () => ({}),
    unreachable: {
      'authkit: registration verification policy is "required" but no email or SMS sender is configured':
        "development has senders",
    },
  },
  hasEmailSender: { args: () => ({}), check: (has) => expect(typeof has).toBe("boolean") },
  hasSmsSender: { args: () => ({}), check: (has) => expect(typeof has).toBe("boolean") },
  smsAvailable: { args: () => ({}), check: (has) => expect(typeof has).toBe("boolean") },
  checkSmsHealth: { args: () => ({}), unreachable: { sms_unavailable: "the console sender is always well" } },
};
