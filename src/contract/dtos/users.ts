import {
  bool,
  bytes,
  dto,
  everyGeneration,
  field,
  type Infer,
  type InferArgs,
  int64,
  json,
  list,
  map,
  nullable,
  only,
  string,
  time,
} from "../types.ts";

/** An account. */
export const User = dto("User", everyGeneration, {
  id: field("ID", string),
  email: field("Email", nullable(string)),
  phoneNumber: field("PhoneNumber", nullable(string)),
  username: field("Username", nullable(string)),
  discordUsername: field("DiscordUsername", nullable(string)),
  emailVerified: field("EmailVerified", bool),
  phoneVerified: field("PhoneVerified", bool),
  bannedAt: field("BannedAt", nullable(time)),
  bannedUntil: field("BannedUntil", nullable(time)),
  banReason: field("BanReason", nullable(string)),
  bannedBy: field("BannedBy", nullable(string)),
  deletedAt: field("DeletedAt", nullable(time)),
  biography: field("Biography", nullable(string)),
  createdAt: field("CreatedAt", time),
  updatedAt: field("UpdatedAt", time),
  lastLogin: field("LastLogin", nullable(time)),
  preferredLanguage: only("0.97", field("PreferredLanguage", nullable(string))),
  avatarUrl: only("0.97", field("AvatarURL", nullable(string))),
});
export type User = Infer<typeof User>;

/** The least that names an account. Privileged: carries the e-mail address. */
export const UserRef = dto("UserRef", everyGeneration, {
  id: field("ID", string),
  username: field("Username", string),
  email: field("Email", string),
});
export type UserRef = Infer<typeof UserRef>;

/** What anyone may know of an account; a deleted one is a tombstone with only its id. */
export const PublicUserRef = dto("PublicUserRef", ["0.97"], {
  id: field("ID", string),
  username: field("Username", string),
  avatarUrl: field("AvatarURL", string),
  biography: field("Biography", string),
  createdAt: field("CreatedAt", time),
  deleted: field("Deleted", bool),
});
export type PublicUserRef = Infer<typeof PublicUserRef>;

/** Whether an account may be used, and who it is. */
export const UserLiveness = dto("UserLiveness", ["0.97"], {
  id: field("ID", string),
  allowed: field("Allowed", bool),
  username: field("Username", string),
  email: field("Email", string),
  emailVerified: field("EmailVerified", bool),
  avatarUrl: field("AvatarURL", string),
});
export type UserLiveness = Infer<typeof UserLiveness>;

/** One account to import. */
export const ImportUserInput = dto("ImportUserInput", everyGeneration, {
  email: field("Email", string),
  phoneNumber: field("PhoneNumber", string),
  username: field("Username", string),
  emailVerified: field("EmailVerified", bool),
  phoneVerified: field("PhoneVerified", bool),
  bannedAt: field("BannedAt", nullable(time)),
  bannedUntil: field("BannedUntil", nullable(time)),
  banReason: field("BanReason", nullable(string)),
  bannedBy: field("BannedBy", nullable(string)),
  metadata: field("Metadata", map(json)),
  createdAt: field("CreatedAt", nullable(time)),
  updatedAt: field("UpdatedAt", nullable(time)),
  passwordHash: field("PasswordHash", string),
  hashAlgo: field("HashAlgo", string),
  hashParams: field("HashParams", bytes),
});
export type ImportUserInput = Infer<typeof ImportUserInput>;
export type ImportUserInputInput = InferArgs<typeof ImportUserInput>;

/** What became of one imported account. */
export const ImportUserResult = dto("ImportUserResult", everyGeneration, {
  index: field("Index", int64),
  userId: field("UserID", string),
  /** One of `inserted`, `skipped`, `rejected`. */
  status: field("Status", string),
  reason: field("Reason", string),
});
export type ImportUserResult = Infer<typeof ImportUserResult>;

/** What became of an import, one row an input in input order. */
export const ImportUsersResult = dto("ImportUsersResult", everyGeneration, {
  results: field("Results", list(ImportUserResult)),
  inserted: field("Inserted", int64),
  skipped: field("Skipped", int64),
  rejected: field("Rejected", int64),
});
export type ImportUsersResult = Infer<typeof ImportUsersResult>;
