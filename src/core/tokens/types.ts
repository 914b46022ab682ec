/** What a user access token (T1, spec 30 §1.3) is made of. */
export interface AccessTokenSubject {
  readonly userId: string;
  readonly session?:
    | {
        readonly id: string;
        /** `last_authenticated_at`, else `created_at`. */
        readonly authenticatedAt: Date;
        readonly methods: readonly string[];
      }
    | undefined;
  readonly mfaEnrolled: boolean;
  /** Merged by the rules of spec 30 §1.3. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Synchronous: signing with a cached key object, no thread pool. Every method throws `missing_signer` without a signer. */
export interface Tokens {
  accessToken(subject: AccessTokenSubject): IssuedToken;
  /** T2: ten minutes, `2fa_enrollment: true`. */
  enrollmentToken(userId: string): IssuedToken;
  /** Signs any claims with the active key under the given `typ`. Members are serialized in ascending key order. */
  sign(typ: string, claims: Readonly<Record<string, unknown>>): string;
}
