export interface Argon2Parameters {
  /** KiB. */
  readonly memory: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/** A stored password as `user_passwords` holds it. */
export interface StoredHash {
  readonly hash: string;
  readonly algorithm: string;
  readonly params: unknown;
}

export interface VerifyResult {
  readonly match: boolean;
  /** The hash matched but is weaker than, or of another kind than, what is written today: store a new one. */
  readonly rehash: boolean;
}

/**
 * Argon2id hashing, and verification of every stored or imported format (spec 40 §3). Work runs in separate niced processes behind a
 * bounded queue; when it is full both methods reject with `AuthError("server_busy")` and `retryAfter`.
 */
export interface PasswordHasher {
  /** PHC string with the configured parameters. */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /** Never rejects for a malformed or unknown stored hash: that is simply no match. */
  verify(stored: StoredHash, password: string, signal?: AbortSignal): Promise<VerifyResult>;
  /** Costs as much as verifying a current hash and never matches: for unknown identifiers. */
  verifyDummy(password: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
