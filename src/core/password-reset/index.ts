import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/types.ts";
import type { Messages } from "../messages/types.ts";
import type { PasswordChanges, Passwords } from "../passwords/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserRow, Users } from "../users/types.ts";
import { createChallenges } from "../verification/challenges.ts";
import { type ContactChannel, type ContactMessages, deliveryFailure } from "../verification/messages.ts";
import { contactOf } from "../verification/proofs.ts";
import type { RecoveryRequests } from "../verification/recovery-requests.ts";

/** Seconds a reset link lives. */
export const resetTtl = 3600;

/** Replacing a forgotten password by proof of the account's e-mail address or phone number. */
export interface PasswordReset {
  /** Accepted alike for every address, and served in the background. Throws `service_unavailable`. */
  request(channel: ContactChannel, address: string, context: CallContext): Promise<void>;
  /** What such a request comes to. Deleted, banned and unknown accounts get nothing. */
  serve(channel: ContactChannel, address: string, context: CallContext): Promise<void>;
  /** Sends a reset link to the account's contact. Throws `email_delivery_failed` / `sms_delivery_failed`. */
  send(user: UserRow, channel: ContactChannel, context: CallContext): Promise<void>;
  /**
   * Sets the password; ends all sessions. A refused password does not use the token up. Returns the account's id.
   * Throws the policy's codes, `invalid_or_expired_token`.
   */
  confirm(token: string, newPassword: string, context: CallContext): Promise<string>;
  /** Kills an outstanding link. */
  cancel(userId: string): Promise<void>;
}

export interface PasswordResetParts {
  readonly users: Pick<Users, "byId" | "byEmail" | "byPhone" | "admitRow">;
  readonly passwords: Passwords;
  readonly passwordChanges: PasswordChanges;
  readonly messages: Pick<Messages, "send" | "link">;
  readonly contactMessages: ContactMessages;
  readonly audit: Audit;
  readonly background: RecoveryRequests;
}

export function createPasswordReset(
  platform: Pick<Platform, "config" | "random" | "clock" | "ephemeral">,
  parts: PasswordResetParts,
): PasswordReset {
  const { users, passwords, passwordChanges, messages, contactMessages, audit, background } = parts;
  // The link dies with the password it was asked for, however that one is replaced.
  const links = createChallenges(
    platform,
    "password_reset",
    resetTtl,
    Type.Object({ version: Type.String() }),
  );

  async function send(user: UserRow, channel: ContactChannel, context: CallContext): Promise<void> {
    const address = contactOf(user, channel);
    if (address === null) throw new Error("an account without the contact cannot be reset over it");
    const { token } = await links.issue(user.id, { version: await passwordChanges.version(user.id) });
    const transport = channel === "email" ? "email" : "sms";
    try {
      await messages.send({
        kind: "password_reset",
        channel: transport,
        to: address,
        language: user.preferredLanguage ?? context.language,
        username: user.username ?? undefined,
        url: messages.link("reset", { channel, token }),
        ttlSeconds: resetTtl,
        key: context.messageKey,
      });
    } catch (cause) {
      throw deliveryFailure(channel, cause);
    }
    const event = { event: "password_recovery", userId: user.id, sessionId: "", method: transport } as const;
    await audit.session(event, context);
  }

  async function usable(user: UserRow): Promise<UserRow | undefined> {
    try {
      return await users.admitRow(user);
    } catch (error) {
      if (isAuthError(error, "user_banned") || isAuthError(error, "user_not_found")) return undefined;
      throw error;
    }
  }

  /** Whoever did not ask for it must hear of it. */
  async function notify(user: UserRow, context: CallContext): Promise<void> {
    const channel = user.email === null ? "phone" : "email";
    const address = contactOf(user, channel);
    if (address === null) return;
    const language = user.preferredLanguage ?? context.language;
    await contactMessages.notify("notice_password_changed", channel, {
      ...{ address, language, username: user.username },
    });
  }

  return {
    send,

    request: (channel, address, context) => background.enqueue("password_reset", channel, address, context),

    async serve(channel, address, context) {
      const found = await (channel === "email" ? users.byEmail(address) : users.byPhone(address));
      const user = found === undefined ? undefined : await usable(found);
      if (user !== undefined) await send(user, channel, context);
    },

    async confirm(token, newPassword, context) {
      passwords.assertAcceptable(newPassword);
      const found = await links.findByToken(token);
      const user = found === undefined ? undefined : await users.byId(found.owner);
      if (user === undefined) throw new AuthError("invalid_or_expired_token");
      passwords.assertAcceptable(newPassword, user);
      const taken = await links.takeByToken(token);
      if (taken === undefined || taken.owner !== user.id) throw new AuthError("invalid_or_expired_token");
      try {
        if ((await passwordChanges.version(user.id)) !== taken.payload.version)
          throw new AuthError("invalid_or_expired_token");
        await passwordChanges.reset(user.id, newPassword, context);
      } catch (error) {
        if (isAuthError(error, "user_not_found")) throw new AuthError("invalid_or_expired_token");
        // A failure of ours must not cost the user the link; a second confirmation of it would find the version changed.
        if (!isAuthError(error, "invalid_or_expired_token")) await taken.restore();
        throw error;
      }
      await notify(user, context);
      return user.id;
    },

    async cancel(userId) {
      await links.drop(userId);
    },
  };
}
