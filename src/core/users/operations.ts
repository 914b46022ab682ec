import type { ErrorCode } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { UsernameSource } from "../identifiers/index.ts";
import type { CallContext } from "../platform.ts";
import type { UserRow, Users } from "./types.ts";

/** Which of the names are held by another account, soft-deleted ones included. */
export interface TakenIdentifiers {
  readonly email: boolean;
  readonly phone: boolean;
  readonly username: boolean;
}

export interface UserAvailability {
  /** `exceptUserId` is left out of account. */
  taken(
    identifiers: {
      readonly email?: string | null | undefined;
      readonly phone?: string | null | undefined;
      readonly username?: string | null | undefined;
    },
    exceptUserId?: string,
  ): Promise<TakenIdentifiers>;
  /** A username nobody has, derived from what is known of a person. Somebody else may still take it first. */
  freeUsername(source: UsernameSource): Promise<string>;
}

export interface UserListOptions {
  /** 1-based; below 1 means 1. */
  readonly page: number;
  /** Outside 1–200 means 50. */
  readonly pageSize: number;
  readonly search: string;
  /** Root role, exact after lower-casing; blank for all. */
  readonly role: string;
  /** Unknown texts mean "not deleted". */
  readonly status: string;
  /** Unknown texts mean `created_at`. */
  readonly sort: string;
  readonly descending: boolean;
  /** Unset values at the end in either direction; otherwise they come first when descending. */
  readonly nullsLast?: boolean;
  readonly entitlement?: string;
}

/** An account as administrators see it. */
export interface AdminUser extends UserRow {
  /** Declared root roles held, ascending. */
  readonly roles: readonly string[];
  /** Root roles held that the configuration no longer declares, ascending. */
  readonly removedRoles: readonly string[];
}

export interface UserPage {
  readonly users: readonly AdminUser[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

/** Public and access facts of accounts, keyed by id; unknown ids are absent. */
export interface UserDirectory {
  /** Throws `entitlement_filter_unavailable` when filtered by entitlement. */
  list(options: UserListOptions): Promise<UserPage>;
  count(options: UserListOptions): Promise<number>;
  /** Soft-deleted and banned accounts included; throws `user_not_found`. */
  adminById(id: string): Promise<AdminUser>;
  /** The access gate for many accounts at once, clearing ended bans. Throws `invalid_user` for an id that is none. */
  liveness(ids: readonly string[]): Promise<(UserRow & { readonly allowed: boolean })[]>;
}

/**
 * What happens when an operation would leave the root group without a usable owner: `warn` logs it; a code refuses with it.
 */
export type OwnerGuard = "warn" | "cannot_remove_last_owner" | "cannot_remove_last_admin_role";

export interface GuardOption {
  readonly ownerGuard: OwnerGuard;
}

export interface Ban {
  readonly userId: string;
  readonly reason: string | null;
  /** Null = for ever. */
  readonly until: Date | null;
  /** User id of who bans; blank or null = nobody in particular. */
  readonly bannedBy: string | null;
}

/** Every operation answers false when nothing changed, as for an id nobody has; `invalid_user` for a text that is no id. */
export interface UserModeration {
  /**
   * Ends all sessions. Throws `invalid_until` unless `until` lies ahead; `user_not_found` for a banning user nobody knows, `invalid_user` for
   * one that cannot be.
   */
  ban(ban: Ban, context: CallContext, options: GuardOption): Promise<boolean>;
  unban(userId: string, context: CallContext): Promise<boolean>;
}

export interface BatchOutcome {
  readonly id: string;
  readonly error?: ErrorCode;
}

export interface UserDeletion {
  /** Ends all sessions, keeps everything else; done again, the deletion dates from now. */
  softDelete(userId: string, context: CallContext, options: GuardOption): Promise<boolean>;
  restore(userId: string, context: CallContext): Promise<boolean>;
  /** Removes the account and all that hangs on it. The guard is asked only for accounts not soft-deleted before. */
  hardDelete(userId: string, context: CallContext, options: GuardOption): Promise<boolean>;
  /** One by one in the given order; an item's failure stops nothing. Throws `invalid_request` for more than 1000. */
  softDeleteMany(
    userIds: readonly string[],
    context: CallContext,
    options: GuardOption,
  ): Promise<BatchOutcome[]>;
  restoreMany(userIds: readonly string[], context: CallContext): Promise<BatchOutcome[]>;
  hardDeleteMany(
    userIds: readonly string[],
    context: CallContext,
    options: GuardOption,
  ): Promise<BatchOutcome[]>;
  /** Ids deleted strictly before the cutoff, oldest first; `limit` ≤ 0 means 500. */
  deletedBefore(cutoff: Date, limit: number): Promise<string[]>;
}

export interface RenameAvailability {
  /** Whole seconds, rounded up; 0 = now. */
  readonly seconds: number;
  readonly nextAllowedAt: Date | undefined;
}

export interface UserNames {
  /**
   * Interactive rules and reserved names apply. Throws `username_*`, `user_not_found`, `rename_rate_limited` (with its metadata),
   * `owner_slug_taken`. A change of case alone is applied without using up the cooldown. False when the name was that already.
   */
  rename(
    userId: string,
    username: string,
    context: CallContext,
    options?: { readonly ignoreCooldown?: boolean },
  ): Promise<boolean>;
  /** `at` undefined = now; a blank id and one nobody has may. Throws `invalid_user`. */
  renameAvailability(userId: string, at?: Date): Promise<RenameAvailability>;
  /** Former names, lower case, distinct, ascending. */
  aliases(userId: string): Promise<string[]>;
}

export interface MetadataPatchOptions {
  /** The account's own doing: members given as null are removed instead of stored as null, and the bound is 16 KiB. */
  readonly own?: boolean;
}

export interface UserProfiles {
  /** Throws `invalid_user`, `user_not_found`. */
  metadata(userId: string): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Shallow merge; the metadata afterwards, or undefined for an empty patch. Throws `invalid_request` when the account's metadata would
   * exceed 64 KiB. Setting `reserved` ends all sessions.
   */
  patchMetadata(
    userId: string,
    patch: Readonly<Record<string, unknown>>,
    context: CallContext,
    options?: MetadataPatchOptions,
  ): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Verbatim. Throws `invalid_request` beyond 2000 code points: cutting would lose what an operator stores. */
  setBiography(userId: string, biography: string | null): Promise<boolean>;
  /** As a user writes it: trimmed and cut at 2000 code points. */
  setOwnBiography(userId: string, biography: string | null): Promise<boolean>;
  /** Blank clears. Throws `avatar_url_invalid`, `user_not_found`. */
  setAvatarUrl(userId: string, avatarUrl: string | null): Promise<void>;
  /** Throws `invalid_preferred_language` unless two letters. Returns what was stored. */
  setPreferredLanguage(userId: string, language: string, tx?: Transaction): Promise<string>;
}

/** Storage of contacts; sending and proving them is the verification capability's. */
export interface UserContacts {
  /**
   * Sets a new address. Undefined when the account has that address already, whatever the case. Throws `invalid_email`,
   * `user_not_found`, `email_in_use`.
   */
  changeEmail(
    userId: string,
    email: string,
    verified: boolean,
    context: CallContext,
    tx?: Transaction,
  ): Promise<UserRow | undefined>;
  /** The same for a phone number: `invalid_phone_number`, `phone_in_use`. */
  changePhone(
    userId: string,
    phone: string,
    verified: boolean,
    context: CallContext,
    tx?: Transaction,
  ): Promise<UserRow | undefined>;
}

export type RecoveryContact =
  | { readonly email: string; readonly phone?: undefined }
  | { readonly phone: string; readonly email?: undefined };

export interface UserRecovery {
  /**
   * Locks a compromised account and binds it to a new, verified contact, in one transaction: sessions, password, provider links, passkeys,
   * second factors and both contacts go. Throws `not_found`, `email_in_use`, `phone_in_use`, `invalid_email`, `invalid_phone_number`.
   * The caller drops pending changes and reset tokens and sends the reset message.
   */
  recover(userId: string, contact: RecoveryContact, context: CallContext): Promise<UserRow>;
}

/** One account to import. Texts as given; null and blank mean absent unless stated. */
export interface ImportedUser {
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly username: string;
  readonly emailVerified: boolean;
  readonly phoneVerified: boolean;
  readonly bannedAt: Date | null;
  readonly bannedUntil: Date | null;
  readonly banReason: string | null;
  readonly bannedBy: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly createdAt: Date | null;
  readonly updatedAt: Date | null;
  readonly passwordHash: string | null;
  readonly hashAlgo: string;
  /** JSON text. */
  readonly hashParams: string | null;
}

export interface ImportResult {
  readonly index: number;
  /** Empty unless inserted. */
  readonly userId: string;
  readonly status: "inserted" | "skipped" | "rejected";
  readonly reason: string;
}

export interface ImportReport {
  readonly results: readonly ImportResult[];
  readonly inserted: number;
  readonly skipped: number;
  readonly rejected: number;
}

export interface UserImports {
  /**
   * Insert or skip, never update; one transaction a chunk of 1000 accounts with their passwords, each with a row in the audit trail. Given a
   * transaction, everything is written in it, and the audit row is the caller's.
   */
  import(users: readonly ImportedUser[], context: CallContext, tx?: Transaction): Promise<ImportReport>;
  /** Overwrites an imported account; passwords are left alone. Throws the validation codes, `user_not_found`, `email_in_use`, … */
  updateImported(userId: string, user: ImportedUser, context: CallContext): Promise<UserRow>;
}

/** An account that has to be there. A declared ban has a `bannedAt`; without one the ban of the account is left as it is. */
export type DeclaredUser = Omit<
  ImportedUser,
  "createdAt" | "updatedAt" | "passwordHash" | "hashAlgo" | "hashParams"
>;

export interface DeclaredOutcome {
  readonly user: UserRow;
  readonly created: boolean;
  /** Members written over; empty for a new account and for one that was as declared. */
  readonly changed: readonly string[];
}

export interface DeclaredUsers {
  /**
   * Creates the account, or brings the one with that username, e-mail address or phone number (in this order) into line. Throws the
   * validation codes of an import, `invalid_banned_by`, `email_in_use`, `phone_in_use`, `owner_slug_taken`.
   */
  declare(user: DeclaredUser, context: CallContext, tx: Transaction): Promise<DeclaredOutcome>;
}

/** Everything there is to do with accounts. */
export interface UserOperations
  extends Users,
    UserAvailability,
    UserDirectory,
    UserModeration,
    UserDeletion,
    UserNames,
    UserProfiles,
    UserContacts,
    UserRecovery,
    UserImports,
    DeclaredUsers {
  /** An account made by an operator: blank members are absent. Throws `invalid_email`, `username_*`, `email_in_use`, `owner_slug_taken`. */
  createByOperator(email: string, username: string, context: CallContext): Promise<UserRow>;
}
