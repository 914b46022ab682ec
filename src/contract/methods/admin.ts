import { AdminListUsersResult, AdminUser, AdminUserListOptions } from "../dtos/admin.ts";
import { Session } from "../dtos/sessions.ts";
import { everyGeneration, field, int64, list, nothing, nullable, string, time } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Admin. */
export const adminMethods = {
  adminCountUsers: method({
    name: "AdminCountUsers",
    topic: "Admin",
    generations: everyGeneration,
    args: { opts: field("opts", AdminUserListOptions) },
    result: int64,
    errors: [
      "authkit: entitlement filtering requires an EntitlementFilterProvider",
      "entitlement_filter_unavailable",
    ],
    note: "Page, PageSize, Sort and Desc are ignored.",
  }),
  adminGetUser: method({
    name: "AdminGetUser",
    topic: "Admin",
    generations: everyGeneration,
    args: { id: field("id", string) },
    result: AdminUser,
    errors: ["invalid_user", "user_not_found"],
    note: "Unknown id is an error, never null.",
  }),
  adminListUserSessions: method({
    name: "AdminListUserSessions",
    topic: "Admin",
    generations: everyGeneration,
    args: { userId: field("userID", string) },
    result: nullable(list(Session)),
    errors: ["invalid_user"],
    note: "Identical to ListUserSessions.",
  }),
  adminListUsers: method({
    name: "AdminListUsers",
    topic: "Admin",
    generations: everyGeneration,
    args: { opts: field("opts", AdminUserListOptions) },
    result: AdminListUsersResult,
    errors: [
      "authkit: entitlement filtering requires an EntitlementFilterProvider",
      "entitlement_filter_unavailable",
    ],
    note: "Page<1 -> 1; PageSize outside 1..200 -> 50. users is null when the page is empty.",
  }),
  adminRevokeUserSessions: method({
    name: "AdminRevokeUserSessions",
    topic: "Admin",
    generations: everyGeneration,
    args: { userId: field("userID", string) },
    result: nothing,
    errors: ["invalid_user"],
    mutates: { kind: "user", args: ["userId"] },
    note: "Identical to RevokeAllSessions with no kept session.",
  }),
  adminSetPassword: method({
    name: "AdminSetPassword",
    topic: "Admin",
    generations: everyGeneration,
    args: { userId: field("userID", string), new: field("new", string) },
    result: nothing,
    errors: [
      "invalid_user",
      "password_breached",
      "password_too_common",
      "password_too_short",
      "user_not_found",
    ],
    mutates: { kind: "user", args: ["userId"] },
  }),
  banUser: method({
    name: "BanUser",
    topic: "Admin",
    generations: everyGeneration,
    args: {
      userId: field("userID", string),
      reason: field("reason", nullable(string)),
      until: field("until", nullable(time)),
      bannedBy: field("bannedBy", string),
    },
    result: nothing,
    errors: ["invalid_until", "invalid_user", "user_not_found"],
    mutates: { kind: "user", args: ["userId"] },
  }),
  unbanUser: method({
    name: "UnbanUser",
    topic: "Admin",
    generations: everyGeneration,
    args: { userId: field("userID", string) },
    result: nothing,
    errors: ["invalid_user"],
    mutates: { kind: "user", args: ["userId"] },
  }),
};
