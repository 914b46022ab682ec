import type { Transaction } from "../../platform/postgres/port.ts";
import type { CallContext } from "../platform.ts";

export type PasswordCheck = "match" | "mismatch" | "reset_required" | "absent";

/** Stored passwords (spec 40 §3). */
export interface Passwords {
  /** Policy of spec 40 §2.4 for new passwords: throws `password_too_short`, `invalid_request`, `password_breached`-like refusals. */
  assertAcceptable(password: string, about?: { readonly email?: string | null; readonly username?: string | null }): void;
  hash(password: string, context: CallContext): Promise<string>;
  /** Always costs one verification. Rehashes weaker formats on a match. Errors of the database propagate. */
  verify(userId: string, password: string, context: CallContext): Promise<PasswordCheck>;
  /** Spends the time of one verification for an identifier that does not exist. */
  verifyNobody(password: string, context: CallContext): Promise<void>;
  exists(userId: string): Promise<boolean>;
  /** Stores an Argon2id PHC string. */
  store(userId: string, phc: string, tx?: Transaction): Promise<void>;
}
