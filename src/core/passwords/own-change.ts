import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { UserPrincipal } from "../authentication/principal.ts";
import type { CallContext } from "../platform.ts";
import type { FreshAuthentication, SensitiveGate } from "../step-up/sensitive.ts";
import type { Users } from "../users/types.ts";
import type { ContactMessages } from "../verification/messages.ts";
import type { ChangeProof, PasswordChanges, Passwords } from "./types.ts";

export interface OwnPasswordParts {
  readonly users: Pick<Users, "byId">;
  readonly passwords: Pick<Passwords, "assertAcceptable">;
  readonly passwordChanges: Pick<PasswordChanges, "change">;
  readonly gate: SensitiveGate;
  readonly messages: ContactMessages;
}

/** Changing one's own password while signed in. */
export interface OwnPassword {
  /**
   * Sets the new password and ends all other sessions. Returns the new authentication when the current password was needed as proof.
   *
   * Throws, in order: `invalid_request` and the policy's codes, the codes of {@link SensitiveGate.require}, `password_change_failed` (a fresh
   * token with a wrong current password: 400; a failure of ours: 500), `password_reset_required`.
   */
  change(
    user: UserPrincipal,
    current: string,
    next: string,
    context: CallContext,
  ): Promise<FreshAuthentication | undefined>;
}

export function createOwnPassword(parts: OwnPasswordParts): OwnPassword {
  const { users, passwords, passwordChanges, gate, messages } = parts;

  async function replace(
    user: UserPrincipal,
    proof: ChangeProof,
    next: string,
    context: CallContext,
  ): Promise<void> {
    try {
      await passwordChanges.change(user.userId, proof, next, user.sessionId, context);
    } catch (cause) {
      if (isAuthError(cause, "password_reset_required"))
        throw new AuthError(cause.code, { status: 400, cause });
      if (isAuthError(cause, "invalid_credentials")) throw new AuthError("password_change_failed", { cause });
      if (isAuthError(cause)) throw cause;
      throw new AuthError("password_change_failed", { status: 500, cause });
    }
  }

  return {
    async change(user, current, next, context) {
      if (next === "") throw new AuthError("password_too_short");
      passwords.assertAcceptable(next);
      const row = await users.byId(user.userId);
      passwords.assertAcceptable(next, row);
      const fresh = await gate.require(user, current, context);
      // What the gate has verified a moment ago needs no second look.
      const proof: ChangeProof =
        fresh !== undefined || current === "" ? { kind: "fresh" } : { kind: "current", password: current };
      await replace(user, proof, next, context);
      if (row !== undefined) {
        const channel = row.email === null ? "phone" : "email";
        const address = row.email ?? row.phoneNumber;
        const language = row.preferredLanguage ?? context.language;
        if (address !== null)
          await messages.notify("notice_password_changed", channel, {
            address,
            language,
            username: row.username,
          });
      }
      return fresh;
    },
  };
}
