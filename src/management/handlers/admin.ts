import type { AdminUser as AdminUserDto, AdminUserListOptions } from "../../contract/dtos/index.ts";
import { parseUserId } from "../../core/identifiers/index.ts";
import type { AdminUser, UserListOptions } from "../../core/users/index.ts";
import type { HandlerFactory } from "./index.ts";
import { sessionDto } from "./sessions.ts";
import { userDto } from "./user-dto.ts";

function listOptions({ desc, ...options }: AdminUserListOptions): UserListOptions {
  return { ...options, descending: desc };
}

/** The administrators' directory, bans, and what an administrator does to another's sessions and password. */
export const adminHandlers: HandlerFactory = ({ users, sessions, passwordChanges }, config) => {
  const entitlements = config.development.staticEntitlements ?? null;

  /** Lists leave out what only the single look-up shows. */
  function adminUserDto(user: AdminUser, single: boolean): AdminUserDto {
    return {
      ...userDto(user),
      roles: user.roles,
      removedRoles: user.removedRoles,
      entitlements,
      preferredLanguage: single ? user.preferredLanguage : null,
      avatarUrl: single ? user.avatarUrl : null,
    };
  }

  return {
    adminListUsers: async ({ opts }) => {
      const page = await users.list(listOptions(opts));
      return { ...page, users: page.users.map((user) => adminUserDto(user, false)) };
    },
    adminCountUsers: ({ opts }) => users.count(listOptions(opts)),
    adminGetUser: async ({ id }) => adminUserDto(await users.adminById(parseUserId(id)), true),
    banUser: async (ban, { callContext }) => {
      await users.ban(ban, callContext, { ownerGuard: "warn" });
    },
    unbanUser: async ({ userId }, { callContext }) => {
      await users.unban(userId, callContext);
    },
    adminListUserSessions: async ({ userId }) => (await sessions.list(parseUserId(userId))).map(sessionDto),
    adminRevokeUserSessions: async ({ userId }, { callContext }) => {
      await sessions.revokeAll(parseUserId(userId), "admin_revoke_all", callContext);
    },
    adminSetPassword: ({ userId, new: password }, { callContext }) =>
      passwordChanges.setByOperator(userId, password, callContext),
  };
};
