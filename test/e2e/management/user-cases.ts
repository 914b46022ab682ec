import { expect } from "vitest";
import { JsonNumber } from "../../../src/client/index.ts";
import { afterLetter, badUsernames, type Cases, nobody, noUuid, type World } from "./case.ts";

const bareId = {
  invalid_user: () => ({ id: noUuid }),
  user_not_found: () => ({ id: nobody }),
};
/** An identifier of another system that no double can hold. */
const foreign = new JsonNumber("12345678901234567890");
const userId = (id: string) => ({ userId: id });

function imported(world: World, overrides: object) {
  return { userId: world.userId, input: { username: world.username, ...overrides } };
}

/** Accounts: creation, look-up, profile, import, deletion. */
export const userCases: Cases = {
  createUser: {
    args: ({ tag }) => ({ email: `New-${tag}@Example.com`, username: `new_${tag}` }),
    check: (user, { tag }) => {
      expect(user).toMatchObject({
        email: `new-${tag}@example.com`,
        username: `new_${tag}`,
        deletedAt: null,
      });
    },
    errors: {
      email_in_use: ({ email, tag }) => ({ email, username: `c_${tag}` }),
      owner_slug_taken: ({ username, tag }) => ({ email: `b-${tag}@example.com`, username }),
      invalid_email: () => ({ email: "nonsense", username: "somebody" }),
      ...badUsernames((username) => ({ email: "", username })),
    },
    unreachable: afterLetter,
  },
  getEmailByUserId: {
    args: (world) => ({ id: world.userId }),
    check: (email, world) => expect(email).toBe(world.email),
    errors: bareId,
  },
  getUserByEmail: {
    args: (world) => ({ email: world.email.toUpperCase() }),
    check: (user, world) => expect(user.id).toBe(world.userId),
    errors: { user_not_found: () => ({ email: "nobody@example.com" }) },
  },
  getUserByPhone: {
    args: (world) => ({ phone: world.phone }),
    check: (user, world) => expect(user).toMatchObject({ id: world.userId, bannedBy: null }),
    errors: { user_not_found: () => ({ phone: "+19995550000" }) },
  },
  getUserBySolanaAddress: {
    before: ({ client, ...world }) =>
      client.linkProviderByIssuer({
        userId: world.userId,
        issuer: "solana:testnet",
        providerSlug: "solana",
        subject: `So1${world.tag}`,
        email: null,
      }),
    args: (world) => ({ address: `So1${world.tag}` }),
    check: (user, world) => expect(user.id).toBe(world.userId),
    errors: { user_not_found: (world) => ({ address: `so1${world.tag}` }) },
  },
  getUserByUsername: {
    args: (world) => ({ username: world.username.toUpperCase() }),
    check: (user, world) => expect(user.id).toBe(world.userId),
    errors: { user_not_found: () => ({ username: "nobody_here" }) },
  },
  getUserMetadata: {
    args: (world) => userId(world.userId),
    check: (metadata) => expect(metadata).toEqual({}),
    errors: { invalid_user: () => userId(""), user_not_found: () => userId(nobody) },
  },
  patchUserMetadata: {
    args: (world) => ({ userId: world.userId, patch: { plan: "pro", n: null, foreign } }),
    check: async (_, { client, ...world }) =>
      expect(await client.getUserMetadata(userId(world.userId))).toEqual({ plan: "pro", n: null, foreign }),
    errors: {
      invalid_user: () => ({ userId: "", patch: { a: 1 } }),
      user_not_found: () => ({ userId: nobody, patch: { a: 1 } }),
    },
  },
  usersByIds: {
    args: (world) => ({ ids: [world.userId, nobody, world.userId] }),
    check: (users, world) =>
      expect(users).toEqual([{ id: world.userId, username: world.username, email: world.email }]),
    errors: { invalid_user: () => ({ ids: [noUuid] }) },
  },
  publicUsersByIds: {
    args: (world) => ({ ids: [world.userId] }),
    check: (users, world) =>
      expect(users).toMatchObject({ [world.userId]: { username: world.username, deleted: false } }),
    errors: { invalid_user: () => ({ ids: [noUuid] }) },
  },
  userLivenessByIds: {
    args: (world) => ({ ids: [world.userId, nobody] }),
    check: (users, world) => {
      expect(Object.keys(users)).toEqual([world.userId]);
      expect(users).toMatchObject({ [world.userId]: { allowed: true, email: world.email } });
    },
    errors: { invalid_user: () => ({ ids: [noUuid] }) },
  },
  isUserAllowed: {
    args: (world) => userId(world.userId),
    check: (allowed) => expect(allowed).toBe(true),
    errors: { invalid_user: () => userId(noUuid), user_not_found: () => userId(nobody) },
  },
  setEmailVerified: {
    args: (world) => ({ id: world.userId, v: true }),
    check: async (_, { client, email }) =>
      expect((await client.getUserByEmail({ email })).emailVerified).toBe(true),
    errors: { invalid_user: () => ({ id: noUuid, v: true }) },
  },
  updateBiography: {
    args: (world) => ({ id: world.userId, bio: " as is " }),
    check: async (_, { client, email }) =>
      expect((await client.getUserByEmail({ email })).biography).toBe(" as is "),
    errors: { invalid_user: () => ({ id: noUuid, bio: null }) },
  },
  updateAvatarUrl: {
    args: (world) => ({ id: world.userId, avatarUrl: " key-1 " }),
    check: async (_, { client, ...world }) => {
      const users = await client.publicUsersByIds({ ids: [world.userId] });
      expect(users).toMatchObject({ [world.userId]: { avatarUrl: "key-1" } });
    },
    errors: {
      avatar_url_invalid: (world) => ({ id: world.userId, avatarUrl: "a\nb" }),
      invalid_user: () => ({ id: noUuid, avatarUrl: null }),
      user_not_found: () => ({ id: nobody, avatarUrl: "a" }),
    },
  },
  updateEmail: {
    args: (world) => ({ id: world.userId, email: `Changed-${world.tag}@example.com` }),
    check: async (_, { client, ...world }) => {
      const user = await client.getUserByEmail({ email: `changed-${world.tag}@example.com` });
      expect(user).toMatchObject({ id: world.userId, emailVerified: false });
    },
    errors: {
      email_in_use: (world) => ({ id: world.userId, email: world.otherEmail }),
      invalid_email: (world) => ({ id: world.userId, email: "nonsense" }),
      invalid_user: () => ({ id: noUuid, email: "a@example.com" }),
      user_not_found: () => ({ id: nobody, email: "a@example.com" }),
    },
    unreachable: {
      email_already_verified: "only in a race with a confirmation",
      email_delivery_failed: "messages are queued, and the queue is there",
      email_sender_unavailable: "development has a console sender",
    },
  },
  updateUsername: {
    args: (world) => ({ id: world.userId, username: `renamed_${world.tag}` }),
    async check(_, { client, ...world }) {
      expect((await client.getUserByUsername({ username: `renamed_${world.tag}` })).id).toBe(world.userId);
      // An operator need not wait.
      const username = `again_${world.tag}`;
      await client.updateUsername({ id: world.userId, username, ignoreCooldown: true });
      expect((await client.getUserByUsername({ username })).id).toBe(world.userId);
    },
    errors: {
      invalid_user: () => ({ id: noUuid, username: "somebody" }),
      user_not_found: () => ({ id: nobody, username: "somebody" }),
      owner_slug_taken: (world) => ({ id: world.userId, username: world.otherUsername }),
      username_not_allowed: (world) => ({ id: world.userId, username: "superuser" }),
      rename_rate_limited: async ({ client, ...world }) => {
        await client.updateUsername({ id: world.otherId, username: `once_${world.tag}` });
        return { id: world.otherId, username: `twice_${world.tag}` };
      },
      ...badUsernames((username, world) => ({ id: world.userId, username })),
    },
    unreachable: afterLetter,
  },
  timeUntilUsernameRenameAvailable: {
    args: (world) => ({ userId: world.userId, now: new Date() }),
    check: (seconds) => expect(seconds).toBe(0),
    errors: { invalid_user: () => ({ userId: noUuid, now: new Date() }) },
  },
  importUsers: {
    args: (world) => ({
      inputs: [{ username: `imp_${world.tag}` }, { username: world.username }, { username: "x" }],
    }),
    check: (report) => expect(report).toMatchObject({ inserted: 1, skipped: 1, rejected: 1 }),
  },
  updateImportedUser: {
    args: (world) => imported(world, { emailVerified: true, metadata: { a: 1 } }),
    check: (user, world) =>
      expect(user).toMatchObject({ id: world.userId, email: world.email, emailVerified: true }),
    errors: {
      email_in_use: (world) => imported(world, { email: world.otherEmail }),
      owner_slug_taken: (world) => imported(world, { username: world.otherUsername }),
      phone_in_use: (world) => ({
        userId: world.otherId,
        input: { username: world.otherUsername, phoneNumber: world.phone },
      }),
      invalid_banned_by: (world) => imported(world, { bannedBy: nobody }),
      invalid_email: (world) => imported(world, { email: "nonsense" }),
      invalid_phone_number: (world) => imported(world, { phoneNumber: "nonsense" }),
      user_not_found: () => ({ userId: nobody, input: { username: "somebody" } }),
      ...badUsernames((username, world) => imported(world, { username })),
    },
    unreachable: {
      ...afterLetter,
      invalid_hash_params: "password members are not looked at",
      unsupported_hash_algo: "the same",
      invalid_user: "an id that is none is of nobody",
    },
  },
  softDeleteUser: {
    args: (world) => ({ id: world.userId }),
    check: async (_, { client, ...world }) =>
      expect((await client.adminGetUser({ id: world.userId })).deletedAt).not.toBeNull(),
    errors: { invalid_user: () => ({ id: noUuid }) },
  },
  restoreUser: {
    before: ({ client, ...world }) => client.softDeleteUser({ id: world.userId }),
    args: (world) => ({ id: world.userId }),
    check: async (_, { client, ...world }) =>
      expect((await client.adminGetUser({ id: world.userId })).deletedAt).toBeNull(),
    errors: { invalid_user: () => ({ id: noUuid }) },
  },
  hardDeleteUser: {
    args: (world) => userId(world.userId),
    check: async (_, { client, ...world }) =>
      expect(client.adminGetUser({ id: world.userId })).rejects.toMatchObject({ code: "user_not_found" }),
    errors: { invalid_user: () => userId(noUuid) },
  },
  softDeleteUsers: {
    args: (world) => ({ userIds: [world.userId, noUuid] }),
    check: (outcomes, world) => expect(outcomes.map(({ id }) => id)).toEqual([world.userId, noUuid]),
  },
  restoreUsers: {
    args: (world) => ({ userIds: [world.userId] }),
    check: (outcomes, world) => expect(outcomes).toEqual([{ id: world.userId, error: "" }]),
  },
  hardDeleteUsers: {
    args: (world) => ({ userIds: [world.userId] }),
    check: (outcomes, world) => expect(outcomes).toEqual([{ id: world.userId, error: "" }]),
  },
  listUsersDeletedBefore: {
    before: ({ client, ...world }) => client.softDeleteUser({ id: world.userId }),
    args: () => ({ cutoff: new Date(Date.now() + 60_000), limit: 1000 }),
    check: (ids, world) => expect(ids).toContain(world.userId),
  },
};
