import { AuthError, failingAs, isAuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/types.ts";
import { type Identifier, loginIdentifier } from "../identifiers/index.ts";
import type { Limits } from "../limits/index.ts";
import type { OwnedHash, Passwords } from "../passwords/types.ts";
import type { CallContext } from "../platform.ts";
import type { UserRow, Users } from "../users/types.ts";
import type { LoginCompletion, LoginOutcome, PendingLogins } from "./types.ts";

export interface PasswordLogin {
  /**
   * Password login by e-mail, phone or username. One hash verification whatever the outcome, so time tells nothing.
   * Throws `invalid_request`, `invalid_credentials`, `password_reset_required`, `user_banned`, `rate_limited`, `database_error`.
   */
  signIn(identifier: string, password: string, context: CallContext): Promise<LoginOutcome>;
}

export interface PasswordLoginParts {
  readonly users: Users;
  readonly passwords: Passwords;
  readonly limits: Limits;
  readonly audit: Audit;
  readonly pending: PendingLogins;
  readonly completion: LoginCompletion;
}

const bucket = "auth_password_login";

/** Why a login came to no session, as the sign-in history says it. */
type Failure =
  | "invalid_credentials"
  | "password_reset_required"
  | "user_banned"
  | "email_not_verified"
  | "phone_not_verified";

interface Found {
  readonly user: UserRow;
  readonly stored: OwnedHash | undefined;
}

export function createPasswordLogin(parts: PasswordLoginParts): PasswordLogin {
  const { users, passwords, limits, audit, pending, completion } = parts;

  /** The account and its password, read together: both look-ups leave in one write. */
  const find = (identifier: Identifier): Promise<Found | undefined> =>
    failingAs("database_error", async () => {
      const [user, stored] = await Promise.all([account(identifier), passwords.stored(identifier)]);
      return user && { user, stored };
    });

  const account = ({ kind, value }: Identifier): Promise<UserRow | undefined> => {
    if (kind === "email") return users.byEmail(value);
    return kind === "phone" ? users.byPhone(value) : users.byUsername(value);
  };

  const failed = (reason: Failure, userId: string, context: CallContext): Promise<void> =>
    audit.session({ event: "session_failed", userId, sessionId: "", reason }, context);

  const refuse = async (
    reason: "invalid_credentials" | "password_reset_required" | "user_banned",
    userId: string,
    context: CallContext,
  ): Promise<never> => {
    await failed(reason, userId, context);
    throw new AuthError(reason);
  };

  const unknown = async (
    identifier: Identifier,
    password: string,
    context: CallContext,
  ): Promise<LoginOutcome | "retry"> => {
    // Nobody has one budget too, however often the spelling changes: running out of it must not show that there is an account.
    await limits.check(bucket, { id: `${identifier.kind}:${identifier.value}` });
    if (identifier.kind === "username") {
      await passwords.verifyNobody(password, context);
      return refuse("invalid_credentials", "", context);
    }
    return (
      (await pending.resume(identifier.kind, identifier.value, password, context)) ??
      refuse("invalid_credentials", "", context)
    );
  };

  const known = async (
    { user, stored }: Found,
    password: string,
    context: CallContext,
  ): Promise<LoginOutcome> => {
    // The account has one budget, however the identifier was written.
    await limits.check(bucket, { id: `user:${user.id}` });
    const check = await failingAs("database_error", () =>
      passwords.verify(user.id, password, context, stored),
    );
    if (check === "reset_required") return refuse("password_reset_required", user.id, context);
    if (check !== "match") return refuse("invalid_credentials", user.id, context);
    try {
      const proven = { methods: ["pwd"], origin: "password_login" } as const;
      const outcome = await completion.complete(user, proven, context);
      if (outcome.kind === "verification_required")
        await failed(
          outcome.channel === "email" ? "email_not_verified" : "phone_not_verified",
          user.id,
          context,
        );
      return outcome;
    } catch (error) {
      if (isAuthError(error, "user_banned")) return refuse("user_banned", user.id, context);
      throw error;
    }
  };

  return {
    async signIn(text, password, context) {
      const trimmed = text.trim();
      if (trimmed === "" || password === "") throw new AuthError("invalid_request");
      await limits.check(bucket, { id: trimmed });
      const identifier = loginIdentifier(trimmed);
      const found = await find(identifier);
      if (found !== undefined) return known(found, password, context);
      const outcome = await unknown(identifier, password, context);
      // The client goes on with what was typed, as a login of an account would.
      if (outcome !== "retry")
        return outcome.kind === "verification_required" ? { ...outcome, identifier: trimmed } : outcome;
      const created = await find(identifier);
      return created === undefined
        ? refuse("invalid_credentials", "", context)
        : known(created, password, context);
    },
  };
}
