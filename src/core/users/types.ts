import type { Queryable, Transaction } from "../../platform/postgres/port.ts";

export interface UserRow {
  readonly id: string;
  readonly email: string | null;
  readonly username: string | null;
  readonly emailVerified: boolean;
  readonly phoneNumber: string | null;
  readonly phoneVerified: boolean;
  readonly bannedAt: Date | null;
  readonly bannedUntil: Date | null;
  readonly banReason: string | null;
  readonly bannedBy: string | null;
  readonly deletedAt: Date | null;
  readonly biography: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastLogin: Date | null;
  readonly preferredLanguage: string | null;
  readonly avatarUrl: string | null;
}

export interface NewUser {
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly username: string | null;
  readonly emailVerified: boolean;
  readonly phoneVerified: boolean;
  readonly preferredLanguage: string | null;
  /** PHC string; null = no password. */
  readonly passwordHash: string | null;
}

/** Accounts: look-up, creation, the access gate, profile. Validation and normal forms are in `core/identifiers`. */
export interface Users {
  byId(id: string): Promise<UserRow | undefined>;
  /** Lower-cased; soft-deleted users are found too. */
  byEmail(email: string): Promise<UserRow | undefined>;
  /** Case-insensitive. */
  byUsername(username: string): Promise<UserRow | undefined>;
  byPhone(phone: string): Promise<UserRow | undefined>;
  byIds(ids: readonly string[]): Promise<UserRow[]>;
  /** User and password in the caller's transaction. Maps constraint violations to `email_in_use`, `phone_in_use`, `owner_slug_taken`. */
  create(user: NewUser, tx: Transaction): Promise<UserRow>;
  /**
   * The access gate : clears an expired ban, then returns the user; throws `user_banned` when deleted, reserved or banned and
   * `user_not_found` when unknown.
   */
  admit(userId: string): Promise<UserRow>;
  /** The same decision on a row already read; an expired ban is cleared first. */
  admitRow(user: UserRow): Promise<UserRow>;
  /** Clears a ban whose end has passed; false when there was none. */
  clearLapsedBan(userId: string, on?: Queryable): Promise<boolean>;
  /** Moves `last_login` alone. Opening a session does so by itself. */
  touchLogin(userId: string): Promise<void>;
  setEmailVerified(userId: string, verified: boolean, tx?: Transaction): Promise<void>;
  setPhoneVerified(userId: string, phone: string, tx?: Transaction): Promise<boolean>;
}
