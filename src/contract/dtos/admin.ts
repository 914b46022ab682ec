import {
  bool,
  dto,
  everyGeneration,
  field,
  type Infer,
  type InferArgs,
  int64,
  list,
  nullable,
  omitEmpty,
  only,
  string,
  time,
} from "../types.ts";

/** An account as administrators see it. */
export const AdminUser = dto("AdminUser", everyGeneration, {
  id: field("id", string),
  email: field("email", nullable(string)),
  phoneNumber: field("phone_number", nullable(string)),
  username: field("username", nullable(string)),
  discordUsername: field("discord_username", nullable(string)),
  emailVerified: field("email_verified", bool),
  phoneVerified: field("phone_verified", bool),
  bannedAt: omitEmpty(field("banned_at", nullable(time))),
  bannedUntil: omitEmpty(field("banned_until", nullable(time))),
  banReason: omitEmpty(field("ban_reason", nullable(string))),
  bannedBy: omitEmpty(field("banned_by", nullable(string))),
  deletedAt: field("deleted_at", nullable(time)),
  biography: field("biography", nullable(string)),
  createdAt: field("created_at", time),
  updatedAt: field("updated_at", time),
  lastLogin: field("last_login", nullable(time)),
  roles: field("roles", nullable(list(string))),
  removedRoles: omitEmpty(field("removed_roles", list(string))),
  entitlements: field("entitlements", nullable(list(string))),
  preferredLanguage: only("0.97", omitEmpty(field("preferred_language", nullable(string)))),
  avatarUrl: only("0.97", omitEmpty(field("avatar_url", nullable(string)))),
});
export type AdminUser = Infer<typeof AdminUser>;

/** Filters, order and page of a user list. */
export const AdminUserListOptions = dto("AdminUserListOptions", everyGeneration, {
  page: field("Page", int64),
  pageSize: field("PageSize", int64),
  search: field("Search", string),
  role: field("Role", string),
  /** One of `""`, `active`, `banned`, `deleted`, `any`. */
  status: field("Status", string),
  /** One of `""`, `created_at`, `last_login`, `username`, `email`. */
  sort: field("Sort", string),
  desc: field("Desc", bool),
  entitlement: field("Entitlement", string),
});
export type AdminUserListOptions = Infer<typeof AdminUserListOptions>;
export type AdminUserListOptionsInput = InferArgs<typeof AdminUserListOptions>;

/** One page of users and the total. */
export const AdminListUsersResult = dto("AdminListUsersResult", everyGeneration, {
  users: field("users", nullable(list(AdminUser))),
  total: field("total", int64),
  limit: field("limit", int64),
  offset: field("offset", int64),
});
export type AdminListUsersResult = Infer<typeof AdminListUsersResult>;
