import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { isZeroTime } from "../../contract/time.ts";
import { parseUserId } from "../../core/identifiers/index.ts";
import type { UserRow } from "../../core/users/index.ts";
import type { HandlerFactory } from "./index.ts";
import { byId, jsonObject, publicUserDto, userDto, userRefDto } from "./user-dto.ts";

async function found(read: Promise<UserRow | undefined>): Promise<UserRow> {
  const user = await read;
  if (user === undefined) throw new AuthError("user_not_found");
  return user;
}

/** Accounts: creation, look-up, access, profile. */
export const userHandlers: HandlerFactory = ({ users, identities, contactChanges }, config) => ({
  createUser: async ({ email, username }, { callContext }) =>
    userDto(await users.createByOperator(email, username, callContext)),
  getUserByEmail: async ({ email }) => userDto(await found(users.byEmail(email))),
  getUserByUsername: async ({ username }) => userDto(await found(users.byUsername(username))),
  getUserByPhone: async ({ phone }) => ({
    ...userDto(await found(users.byPhone(phone))),
    // The contract shows that an account found this way is banned, not why or for how long.
    bannedUntil: null,
    banReason: null,
    bannedBy: null,
  }),
  getUserBySolanaAddress: async ({ address }) => {
    const wallet = await identities.find(`solana:${config.solana.network}`, address);
    return userDto(
      await found(wallet === undefined ? Promise.resolve(undefined) : users.byId(wallet.userId)),
    );
  },
  getEmailByUserId: async ({ id }) => (await found(users.byId(parseUserId(id)))).email ?? "",
  usersByIds: async ({ ids }, { generation }) => {
    const rows = await users.byIds(ids);
    return generation === "0.73" ? rows.map(userRefDto) : byId(rows, userRefDto);
  },
  publicUsersByIds: async ({ ids }) => byId(await users.byIds(ids), publicUserDto),
  userLivenessByIds: async ({ ids }) =>
    byId(await users.liveness(ids), (user) => ({
      id: user.id,
      allowed: user.allowed,
      username: user.username ?? "",
      email: user.email ?? "",
      emailVerified: user.emailVerified,
      avatarUrl: user.avatarUrl ?? "",
    })),
  isUserAllowed: async ({ userId }) => {
    try {
      await users.admit(parseUserId(userId));
      return true;
    } catch (error) {
      if (isAuthError(error, "user_banned")) return false;
      throw error;
    }
  },

  getUserMetadata: async ({ userId }) => jsonObject(await users.metadata(userId)),
  patchUserMetadata: async ({ userId, patch }, { callContext }) => {
    await users.patchMetadata(userId, patch, callContext);
  },
  setEmailVerified: ({ id, v }) => users.setEmailVerified(id, v),
  updateEmail: ({ id, email }, { callContext }) => contactChanges.setEmailByOperator(id, email, callContext),
  updateBiography: async ({ id, bio }) => {
    await users.setBiography(id, bio);
  },
  updateAvatarUrl: ({ id, avatarUrl }) => users.setAvatarUrl(id, avatarUrl),
  updateUsername: async ({ id, username, ignoreCooldown }, { callContext }) => {
    await users.rename(id, username, callContext, { ignoreCooldown: ignoreCooldown === true });
  },
  timeUntilUsernameRenameAvailable: async ({ userId, now }) =>
    (await users.renameAvailability(userId, isZeroTime(now) ? undefined : now)).seconds,
});
