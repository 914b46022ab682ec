import type { UserPrincipal } from "../authentication/principal.ts";
import type { LoginOutcome } from "../login/types.ts";
import type { CallContext } from "../platform.ts";

/** A registered credential of a user under this deployment's relying-party id. */
export interface Passkey {
  readonly id: string;
  readonly userId: string;
  readonly label: string | null;
  readonly transports: readonly string[];
  /** `platform`, `cross-platform` or empty. */
  readonly authenticatorAttachment: string;
  readonly backupEligible: boolean;
  readonly backupState: boolean;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** `PublicKeyCredentialCreationOptionsJSON` of WebAuthn Level 3. */
export interface CreationOptions {
  readonly rp: { readonly name: string; readonly id: string };
  readonly user: { readonly name: string; readonly displayName: string; readonly id: string };
  readonly challenge: string;
  readonly pubKeyCredParams: readonly { readonly type: "public-key"; readonly alg: number }[];
  /** Milliseconds. */
  readonly timeout: number;
  readonly excludeCredentials?: readonly {
    readonly type: "public-key";
    readonly id: string;
    readonly transports?: readonly string[];
  }[];
  readonly authenticatorSelection: {
    readonly requireResidentKey: true;
    readonly residentKey: "required";
    readonly userVerification: "required" | "preferred";
  };
  readonly attestation: "none";
}

/** `PublicKeyCredentialRequestOptionsJSON`; always the discoverable form, so that nobody learns who has passkeys. */
export interface RequestOptions {
  readonly challenge: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly rpId: string;
  readonly userVerification: "required" | "preferred";
}

/** Passkeys (WebAuthn). A login with one has shown possession and user verification, and needs no second factor. */
export interface Passkeys {
  /** Throws `passkey_failed` for an account that may not sign in, `passkey_limit_reached`. */
  beginRegistration(user: UserPrincipal): Promise<CreationOptions>;
  /**
   * `credential` is the browser's registration JSON, unchecked. The ceremony is spent whatever comes of it.
   *
   * Throws `invalid_request` for whatever is wrong with it, `passkey_already_registered`, `passkey_limit_reached`.
   */
  finishRegistration(user: UserPrincipal, credential: unknown, context: CallContext): Promise<Passkey>;
  beginLogin(): Promise<RequestOptions>;
  /**
   * `assertion` is the browser's authentication JSON, unchecked. The ceremony is spent whatever comes of it.
   *
   * Throws `invalid_credentials` for whatever is wrong with it or its account, `token_issue_failed`.
   */
  finishLogin(assertion: unknown, context: CallContext): Promise<LoginOutcome>;
  /** Oldest first. */
  list(userId: string): Promise<Passkey[]>;
  /** A blank label clears it. Throws `not_found`, `invalid_request` for more than 100 characters. */
  rename(userId: string, id: string, label: string, context: CallContext): Promise<void>;
  /** Throws `not_found`, `cannot_unlink_last_login_method` when there would be no way back into the account. */
  remove(userId: string, id: string, context: CallContext): Promise<void>;
}
