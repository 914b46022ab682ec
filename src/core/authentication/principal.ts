/** Claims of a verified user access token (T1/T2, spec 30 §1.3) that the server itself reads. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly userId: string;
  readonly sessionId: string | undefined;
  /** Seconds since the epoch. */
  readonly authTime: number | undefined;
  readonly amr: readonly string[];
  readonly acr: string | undefined;
  readonly mfaEnrolled: boolean;
  /** A token good only for enrolling a second factor. */
  readonly enrollment: boolean;
  readonly entitlements: readonly string[] | null;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface ApiKeyPrincipal {
  readonly kind: "api_key";
  readonly keyId: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly persona: string;
  readonly instanceSlug: string;
}

export interface RemoteApplicationPrincipal {
  readonly kind: "remote_application";
  readonly applicationId: string;
  readonly slug: string;
  readonly issuer: string;
  readonly permissions: readonly string[];
  readonly persona: string;
  readonly instanceSlug: string;
}

export interface DelegatedPrincipal {
  readonly kind: "delegated";
  readonly issuer: string;
  readonly subject: string;
  readonly applicationId: string;
  readonly applicationSlug: string;
  readonly permissions: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly persona: string;
  readonly instanceSlug: string;
}

/** Who a bearer token speaks for (spec 30 §5.7). */
export type Principal = UserPrincipal | ApiKeyPrincipal | RemoteApplicationPrincipal | DelegatedPrincipal;
