import type { Queryable, Transaction } from "../../platform/postgres/port.ts";
import type { CallContext } from "../platform.ts";

/** A link between an account and a subject at an identity provider or a wallet network. */
export interface Identity {
  readonly id: string;
  readonly userId: string;
  /** Issuer of the provider, or `solana:<chain id>`. With `subject` it names the identity; both are compared exactly. */
  readonly issuer: string;
  /** The provider's name in this deployment: for display, unlinking and step-up alone. */
  readonly provider: string | null;
  readonly subject: string;
  readonly email: string | null;
  /** What the provider tells about the person; `username` where it has one. */
  readonly profile: Readonly<Record<string, unknown>> | null;
  readonly createdAt: Date;
}

/** A link by its id, and whose it has to be. */
export type IdentityRef = Pick<Identity, "id" | "userId">;

export interface NewIdentity {
  readonly userId: string;
  readonly issuer: string;
  /** Null keeps the name stored with an identity that is linked already. */
  readonly provider: string | null;
  readonly subject: string;
  readonly email: string | null;
  /** Replaces the stored profile; absent keeps it. */
  readonly profile?: Readonly<Record<string, unknown>> | undefined;
}

export interface LinkOutcome {
  readonly identity: Identity;
  /** False when the account was linked to this very subject already. */
  readonly created: boolean;
  /** Subject of the same issuer that the account was linked to before, and no longer is. */
  readonly replacedSubject: string | undefined;
}

/** How an account can be entered, as far as unlinking has to know. */
export interface UnlinkOptions {
  /** Refuses with `cannot_unlink_last_login_method` when no usable password, other link, passkey or verified contact for passwordless sign-in would be left. */
  readonly keepLoginMethod?: boolean | undefined;
}

/** Links between accounts and external identities. */
export interface Identities {
  /** The identity, whoever has it. */
  find(issuer: string, subject: string, on?: Queryable): Promise<Identity | undefined>;
  /** All links of an account, newest first. */
  list(userId: string, on?: Queryable): Promise<Identity[]>;
  /**
   * Links, or refreshes the link that is there. One identity an issuer and account: another subject of the issuer is replaced. Throws
   * `invalid_request` for a blank issuer or subject, `user_not_found`, `provider_already_linked` when somebody else has the subject.
   */
  link(identity: NewIdentity, context: CallContext, tx?: Transaction): Promise<LinkOutcome>;
  /**
   * Removes all links of the account under a provider's name and returns them; none is no error. Throws
   * `cannot_unlink_last_login_method` when asked to keep one.
   */
  unlink(
    userId: string,
    provider: string,
    context: CallContext,
    options?: UnlinkOptions,
    tx?: Transaction,
  ): Promise<readonly Identity[]>;
  /** Overwrites the profile of a link; nothing happens when it is gone. */
  setProfile(
    identity: IdentityRef,
    profile: Readonly<Record<string, unknown>>,
    on?: Queryable,
  ): Promise<void>;
  /** Brings the subject of a link into another form of the same; nothing happens when it is gone or the form is taken. */
  setSubject(identity: IdentityRef, subject: string): Promise<void>;
  /** `profile.username` of each account's newest link under that name; accounts without one are absent. Throws `invalid_user`. */
  usernames(userIds: readonly string[], provider: string): Promise<ReadonlyMap<string, string>>;
}
