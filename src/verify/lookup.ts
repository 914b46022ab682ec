/** What a trusted application is, as far as a verifier needs it. */
export interface ApplicationRecord {
  readonly id: string;
  readonly slug: string;
  readonly issuer: string;
  readonly jwksUri: string;
  /** `jwks` or `static`. */
  readonly mode: string;
  readonly publicKeys: readonly { readonly kid?: string | undefined; readonly publicKeyPem: string }[] | null;
  readonly enabled: boolean;
}

/** Where an application's permissions hold; servers of contract 0.73 send the list alone. */
export interface AuthorityRecord {
  readonly permissions: readonly string[];
  readonly persona: string;
  readonly instanceSlug: string;
}

export interface ApiKeyRecord {
  readonly keyId: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly persona?: string | undefined;
  readonly instanceSlug?: string | undefined;
}

/** An account as it is now. */
export interface LivenessRecord {
  readonly allowed: boolean;
  readonly username?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly emailVerified?: boolean | undefined;
}

/**
 * What a verifier can ask the authentication server. The management clients of `authkit-server/client` satisfy it; a server whose token may only
 * introspect is enough. Leave out what is not needed: without a method, the principals that need it are refused.
 */
export interface Lookup {
  resolveApiKeyDetailed?(args: { readonly keyId: string; readonly secret: string }): Promise<ApiKeyRecord>;
  getRemoteApplication?(args: { readonly issuer: string }): Promise<ApplicationRecord>;
  resolveRemoteApplicationAuthority?(args: {
    readonly appId: string;
  }): Promise<readonly string[] | AuthorityRecord>;
  resolveRemoteAppAttributeDef?(args: {
    readonly appId: string;
    readonly key: string;
    readonly version: number;
  }): Promise<{ readonly definition: unknown }>;
  can?(args: {
    readonly subjectId: string;
    readonly subjectKind: string;
    readonly persona: string;
    readonly instanceSlug: string;
    readonly perm: string;
  }): Promise<boolean>;
  userLivenessByIds?(args: {
    readonly ids: readonly string[];
  }): Promise<Readonly<Record<string, LivenessRecord>>>;
}
