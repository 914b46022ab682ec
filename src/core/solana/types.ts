import type { UserPrincipal } from "../authentication/principal.ts";
import type { LoginOutcome } from "../login/types.ts";
import type { CallContext } from "../platform.ts";
import type { WalletOutput } from "./signed-output.ts";

export interface ChallengeRequest {
  readonly address: string;
  /** Wanted name of an account that may have to be made. */
  readonly username?: string | undefined;
  /** Token of an account invite, for deployments that need one. */
  readonly inviteToken?: string | undefined;
  /** The account a challenge for linking alone is meant for; undefined = good for signing in, and for linking by anybody. */
  readonly linkTo?: string | undefined;
}

export interface Challenge {
  readonly nonce: string;
  /** RFC 3339, whole seconds. */
  readonly issuedAt: string;
  /** Text the wallet has to sign. */
  readonly message: string;
}

export interface WalletLogin {
  readonly outcome: LoginOutcome;
  /** An account was made. */
  readonly created: boolean;
  readonly userId: string;
  readonly address: string;
}

/** Sign-in with a Solana wallet. */
export interface Solana {
  /** Throws `address_required`, `invalid_address`, the codes of usernames. */
  challenge(request: ChallengeRequest): Promise<Challenge>;
  /**
   * Throws `invalid_signature_encoding`, `invalid_message_encoding`, `invalid_request`, `challenge_expired`, `address_mismatch`,
   * `invalid_signature`, `authentication_failed`, `registration_disabled`, `user_banned`.
   */
  login(output: WalletOutput, context: CallContext): Promise<WalletLogin>;
  /**
   * Links the wallet to the account, in place of its former one of this network. Resolves to the address. Throws as `login` does, and
   * `wallet_already_linked`, `step_up_required` where linking demands fresh authentication.
   */
  link(user: UserPrincipal, output: WalletOutput, context: CallContext): Promise<string>;
  /** Members of a linked wallet's name on the wire; starts a look-up in the background when the name is old. */
  nameMembers(identity: {
    readonly id: string;
    readonly userId: string;
    readonly address: string;
    readonly profile: Readonly<Record<string, unknown>>;
  }): NameMembers;
}

/** What a name service says about a wallet, as `/me` shows it. */
export interface NameMembers {
  readonly primary_sns_name: string | null;
  readonly sns_resolution_status: "resolved" | "not_found" | "error" | "stale" | "pending" | "disabled";
  readonly sns_resolved_at: string | null;
  readonly sns_stale: boolean;
  readonly sns_error: string | null;
}
