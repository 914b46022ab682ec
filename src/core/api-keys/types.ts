import type { ApiKeyResolver } from "../authentication/index.ts";
import type { GroupAddress } from "../groups/index.ts";
import type { CallContext } from "../platform.ts";

/** A key without its secret. */
export interface ApiKeyRecord {
  readonly id: string;
  readonly keyId: string;
  readonly name: string;
  readonly role: string;
  /** Of its role, as defined now; empty when the role is gone. */
  readonly permissions: readonly string[];
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

/** A key by whoever made it, and where it works. */
export interface MadeKey {
  readonly id: string;
  readonly keyId: string;
  readonly name: string;
  readonly persona: string;
  /** Blank for the root group. */
  readonly instanceSlug: string;
}

/** Whom a presented key speaks for. */
export interface ResolvedApiKey {
  readonly id: string;
  readonly keyId: string;
  readonly groupId: string;
  readonly persona: string;
  /** Blank for the root group. */
  readonly instanceSlug: string;
  readonly role: string;
  readonly permissions: readonly string[];
}

export interface ApiKeyRequest {
  readonly name: string;
  readonly role: string;
  /** User in whose authority the key is made. */
  readonly createdBy: string;
  /** Null = as long as the deployment allows. */
  readonly expiresAt: Date | null;
}

/** API keys of groups: each has exactly one role of its group, and speaks for that group alone. */
export interface ApiKeys extends ApiKeyResolver {
  /**
   * Makes a key; the text is told this once. Throws `permission_group_not_found`, `missing_name`, `invalid_role`, `unknown_role`,
   * `role_not_assignable` for a role the group has not defined, `invalid_expiry`, `invalid_request`, and the codes of authority.
   */
  mint(
    address: GroupAddress,
    request: ApiKeyRequest,
    context: CallContext,
  ): Promise<{ readonly key: ApiKeyRecord; readonly text: string }>;
  /** Every key of the group, revoked and expired ones included, newest first. */
  list(address: GroupAddress): Promise<ApiKeyRecord[]>;
  /** The keys a user has made that still work, newest first: they outlive a ban and even the account. */
  madeBy(userId: string): Promise<MadeKey[]>;
  /** False when no unrevoked key with this row id belongs to the group. */
  revoke(address: GroupAddress, id: string, context: CallContext): Promise<boolean>;
  /** Throws `invalid_token`, `token_revoked`, `token_expired`. */
  find(keyId: string, secret: string): Promise<ResolvedApiKey>;
  /** Writes what is known of last uses and stops. */
  close(): Promise<void>;
}
