import type { Transaction } from "../../platform/postgres/port.ts";
import type { Identifier } from "../identifiers/index.ts";
import type { CallContext } from "../platform.ts";
import type { Judgement } from "./policy.ts";
import type { OwnedHash } from "./store.ts";

export type { OwnedHash } from "./store.ts";

export type PasswordCheck = "match" | "mismatch" | "reset_required" | "absent";

/** Whose password it is to become: their own names make poor ones. */
export interface PasswordOwner {
  readonly email?: string | null;
  readonly username?: string | null;
}

/** Stored passwords: the policy for new ones, verification, storage. */
export interface Passwords {
  /**
   * The policy for new passwords. Throws `password_too_short`, `invalid_request` (longer than the maximum), `password_too_common` and
   * `password_breached`. Characters are taken as they are: no trimming, no composition rules.
   */
  assertAcceptable(password: string, about?: PasswordOwner): void;
  /** What {@link assertAcceptable} would say, and how strong the password is. Costs no hash. */
  judge(password: string, about?: PasswordOwner): Judgement;
  /** Argon2id PHC string with the configured parameters. Throws `server_busy`. */
  hash(password: string, context: CallContext): Promise<string>;
  /**
   * Reads what is stored for the account an identifier names, so that it can travel with the look-up of that account; hand it to
   * {@link verify}.
   */
  stored(identifier: Identifier): Promise<OwnedHash | undefined>;
  /**
   * Always costs one verification, whatever is stored. Replaces weaker formats on a match. Reads what is stored unless it is given. Errors of the database propagate.
   * Throws `server_busy`.
   */
  verify(userId: string, password: string, context: CallContext, stored?: OwnedHash): Promise<PasswordCheck>;
  /** Spends the time of one verification for an identifier that does not exist. Throws `server_busy`. */
  verifyNobody(password: string, context: CallContext): Promise<void>;
  /** Whether a password row exists, one that needs a reset included. */
  exists(userId: string): Promise<boolean>;
  /** Stores an Argon2id PHC string in place of what was there. Throws `user_not_found`. */
  store(userId: string, phc: string, tx?: Transaction): Promise<void>;
}

/** What counts as proof that whoever asks may choose a new password. */
export type ChangeProof =
  | { readonly kind: "current"; readonly password: string }
  /** A fresh authentication was shown; the stored password is not asked for. */
  | { readonly kind: "fresh" };

/**
 * Every way a stored password is replaced. Each is one transaction of the new hash, the revocation of sessions and the events, so that
 * nobody stays signed in with a password that no longer is one.
 */
export interface PasswordChanges {
  /**
   * A user's own change; a user without password sets the first one and needs no proof. Revokes all sessions but
   * `keepSessionId` (none kept when undefined, null or empty).
   *
   * Throws, in this order: `invalid_user` (blank id), the policy's errors, `invalid_request` (`keepSessionId` is no UUID), `invalid_user`
   * (no UUID), `password_reset_required`, `invalid_credentials` (the proof is wrong), `user_not_found`, `server_busy`.
   */
  change(
    userId: string,
    proof: ChangeProof,
    next: string,
    keepSessionId: string | null | undefined,
    context: CallContext,
  ): Promise<void>;
  /** After a reset token was redeemed: also lifts `legacy-reset-required`. Revokes all sessions. Throws the policy's errors, `user_not_found`. */
  reset(userId: string, next: string, context: CallContext): Promise<void>;
  /** By the back end. Revokes all sessions. Throws `invalid_user`, the policy's errors, `user_not_found`. */
  setByOperator(userId: string, next: string, context: CallContext): Promise<void>;
  /**
   * Stores a hash made elsewhere, as it is; sessions stay. `params` are the bytes of a JSON document.
   *
   * Throws `invalid_user`, `unsupported_hash_algo`, `invalid_hash_params`, `user_not_found`.
   */
  importHash(
    userId: string,
    hash: string,
    algorithm: string,
    params: Uint8Array | null,
    context: CallContext,
    tx?: Transaction,
  ): Promise<void>;
  /**
   * What {@link setByOperator} does, in the caller's transaction and for a password that was demanded of the operator elsewhere: the policy for
   * people's own passwords is not applied. Throws `user_not_found`, `server_busy`.
   */
  setDeclared(userId: string, next: string, context: CallContext, tx: Transaction): Promise<void>;
  /** For back ends: only whether it matches. False for every problem but `server_busy` and `service_unavailable`. */
  matches(userId: string, password: string, context: CallContext): Promise<boolean>;
  /**
   * Changes whenever the password is replaced (not when a login renews its format), also from and to having none. A reset link that
   * carries it dies with the password it was asked for.
   */
  version(userId: string): Promise<string>;
}
