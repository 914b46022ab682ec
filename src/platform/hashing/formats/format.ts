import { timingSafeEqual } from "node:crypto";
import type { Argon2Kernel } from "../kernel.ts";
import type { Argon2Parameters } from "../port.ts";

/** Why a stored or imported hash can never verify. Used as reasons in import reports. */
export type StoredHashProblem =
  | "unsupported_hash_algo"
  | "invalid_hash"
  | "invalid_hash_params"
  /** Well-formed, but verifying it would cost more than any honest deployment asks for. */
  | "hash_cost_too_high";

/** A stored hash, parsed, with every cost parameter inside its bounds. */
export interface ParsedHash {
  /** Compares in constant time. */
  verify(password: Buffer, kernel: Argon2Kernel): Promise<boolean>;
  /** Whether this is what is written today, or stronger: otherwise a match leads to a fresh hash. */
  satisfies(current: Argon2Parameters): boolean;
  /** Verifying takes next to no time, unlike every hash made for passwords. */
  readonly cheap?: boolean;
}

/** One family of stored hashes. */
export interface HashFormat {
  /** Values of `hash_algo` this format answers to. */
  readonly algorithms: readonly string[];
  /** Never throws: whatever an import brought is either usable or named as a problem. */
  parse(hash: string, algorithm: string, params: unknown): ParsedHash | StoredHashProblem;
}

/** For formats that are only ever imported: always replaced at the first login. */
export const neverCurrent = (): boolean => false;

/** Equality that takes the same time wherever the first difference is; lengths are no secret. */
export function equalBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
