import type { PublicUserRef, User, UserRef } from "../../contract/dtos/index.ts";
import type { JsonObject } from "../../contract/json.ts";
import { zeroTime } from "../../contract/time.ts";
import type { UserRow } from "../../core/users/index.ts";

/** Stored JSON as the codec writes it: the driver parses `jsonb`, so nothing but JSON values can be in it. */
export function jsonObject(stored: Readonly<Record<string, unknown>>): JsonObject {
  return stored as JsonObject;
}

/** Discord names belong to provider links; the contract leaves the member null here. */
export function userDto(user: UserRow): User {
  return {
    id: user.id,
    email: user.email,
    phoneNumber: user.phoneNumber,
    username: user.username,
    discordUsername: null,
    emailVerified: user.emailVerified,
    phoneVerified: user.phoneVerified,
    bannedAt: user.bannedAt,
    bannedUntil: user.bannedUntil,
    banReason: user.banReason,
    bannedBy: user.bannedBy,
    deletedAt: user.deletedAt,
    biography: user.biography,
    createdAt: user.createdAt,
    updatedAt: user.updatedAt,
    lastLogin: user.lastLogin,
    preferredLanguage: user.preferredLanguage,
    avatarUrl: user.avatarUrl,
  };
}

export function userRefDto(user: UserRow): UserRef {
  return { id: user.id, username: user.username ?? "", email: user.email ?? "" };
}

/** A deleted account is a tombstone: its id, and nothing that was the person's. */
export function publicUserDto(user: UserRow): PublicUserRef {
  if (user.deletedAt !== null) {
    return {
      id: user.id,
      username: "",
      avatarUrl: "",
      biography: "",
      createdAt: zeroTime(),
      deleted: true,
    };
  }
  return {
    id: user.id,
    username: user.username ?? "",
    avatarUrl: user.avatarUrl ?? "",
    biography: user.biography ?? "",
    createdAt: user.createdAt,
    deleted: false,
  };
}

/** Rows keyed by their id. */
export function byId<Row extends { readonly id: string }, Value>(
  rows: readonly Row[],
  present: (row: Row) => Value,
): Record<string, Value> {
  return Object.fromEntries(rows.map((row) => [row.id, present(row)]));
}
