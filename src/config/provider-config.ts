/** One identity provider as the operator declared it (spec 22 §1); `core/federation` adds the built-in descriptor. */
export interface ProviderConfig {
  readonly id: string;
  /** A built-in descriptor (`google`, `apple`, `discord`, `github`, …) or a generic kind. */
  readonly type: string;
  readonly kind: "oidc" | "oauth2" | undefined;
  readonly name: string | undefined;
  readonly issuer: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly redirectUri: string | undefined;
  readonly authorizationUrl: string | undefined;
  readonly tokenUrl: string | undefined;
  readonly userInfoUrl: string | undefined;
  readonly extraAuthParams: Readonly<Record<string, string>>;
  /** Remaining provider-specific settings (Apple team and key ids, claim mapping, PKCE switch, …). */
  readonly options: ProviderOptions & Readonly<Record<string, unknown>>;
}

export interface ProviderOptions {
  /** S256; the built-in descriptor or discovery decides when absent. */
  readonly pkce?: boolean;
  readonly tokenEndpointAuthMethod?: "client_secret_post" | "client_secret_basic" | "none";
  /** `Accept` header of the userinfo request. */
  readonly userInfoAccept?: string;
  /** Where the identity's members are found in the userinfo answer (`oauth2` only). */
  readonly userMapping?: UserMapping;
  /** Second userinfo request when the first brought no e-mail address. */
  readonly emailFallback?: EmailFallback;
  /** Present when the client secret is a JWT made for each use (Sign in with Apple). */
  readonly apple?: AppleClientSecret;
}

export interface UserMapping {
  readonly subject?: FieldMapping;
  readonly email?: FieldMapping;
  readonly emailVerified?: FieldMapping;
  readonly preferredUsername?: FieldMapping;
  readonly displayName?: FieldMapping;
}

/** A member of the answer by dotted path, or a constant; the constant wins. */
export interface FieldMapping {
  readonly path?: string;
  readonly value?: string | number | boolean;
  readonly transforms?: readonly ("string" | "trim" | "lowercase")[];
}

export interface EmailFallback {
  readonly url: string;
  readonly accept?: string;
  /** Asked in any case; the address it brings wins over that of the first answer. */
  readonly always?: boolean;
  /** The answer is an array; its first element that meets `select` is used. */
  readonly array?: boolean;
  /** Dotted path → the value it must print as. */
  readonly select?: Readonly<Record<string, string>>;
  readonly email: FieldMapping;
  readonly emailVerified?: FieldMapping;
}

export interface AppleClientSecret {
  readonly teamId: string;
  readonly keyId: string;
  readonly privateKeyPem: string;
  readonly ttlSeconds: number;
}
