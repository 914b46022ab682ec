import type { KeyObject } from "node:crypto";

export type SigningAlgorithm = "RS256" | "ES256" | "ES384" | "ES512" | "EdDSA";

export interface VerificationKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicKey: KeyObject;
}

/** One immutable set of keys; the ring swaps it whole. */
export interface KeySet {
  readonly active: (VerificationKey & { readonly privateKey: KeyObject }) | undefined;
  readonly byKid: ReadonlyMap<string, VerificationKey>;
  /** The JWKS body and its strong ETag, prepared once. */
  readonly jwks: Buffer;
  readonly etag: string;
  readonly source: "environment" | "file" | "managed" | "generated" | "none";
  readonly loadedAt: Date;
}

/** Serves signer, JWKS endpoint and local verifier alike, so they can never disagree (spec 30 §3.5). */
export interface KeyRing {
  current(): KeySet;
  /** Re-reads the source now; keeps the last good set when that fails. */
  reload(): Promise<void>;
  /** Called after each swap. */
  onChange(listener: (keys: KeySet) => void): void;
  close(): Promise<void>;
}
