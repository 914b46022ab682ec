import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { hidesExisting } from "../registration/hiding.ts";
import { tellOwner } from "../registration/serve.ts";
import type { UserOperations } from "../users/index.ts";
import type { UserRow } from "../users/types.ts";
import { type Challenges, createChallenges, type TakenChallenge } from "../verification/challenges.ts";
import { type ContactChannel, type ContactMessages, verificationTtl } from "../verification/messages.ts";
import { type ContactProofs, contactOf, isVerified } from "../verification/proofs.ts";
import type { RecoveryRequests } from "../verification/recovery-requests.ts";
import { verificationStore } from "../verification/store.ts";

const changeSchema = Type.Object({ address: Type.String() });
type Change = TakenChallenge<{ readonly address: string }>;

/** Changing the e-mail address or phone number of an account: the new one has to be proven before anything is changed. */
export interface ContactChanges {
  /**
   * Sends code and link to the new address; an unfinished change of the same kind is replaced. Naming the present, unverified contact starts
   * its verification instead. Where accounts are hidden every other address is accepted alike, and the request served in the background.
   *
   * Throws `email_unchanged` / `phone_unchanged`, `email_in_use` / `phone_in_use`, `*_delivery_failed`, `user_not_found`, `failed_to_request_email_change` /
   * `failed_to_request_phone_change`.
   */
  request(userId: string, channel: ContactChannel, address: string, context: CallContext): Promise<void>;
  /** What a request in the background comes to: the owner of a taken address hears of it, a free one gets code and link. */
  serve(userId: string, channel: ContactChannel, address: string, context: CallContext): Promise<void>;
  /** False when the code is not the one of this user's change to this address, or the address went to somebody else. */
  applyByCode(
    userId: string,
    channel: ContactChannel,
    address: string,
    code: string,
    context: CallContext,
  ): Promise<boolean>;
  applyByToken(channel: ContactChannel, token: string, context: CallContext): Promise<boolean>;
  /**
   * Sets an account's address without proof of it; it is unverified then, and its verification starts. The address the account has already is
   * left alone, but asked to be verified again when it is not. The change stays when the message cannot be sent.
   *
   * Throws `invalid_email`, `user_not_found`, `email_in_use`; `email_delivery_failed`, and `email_sender_unavailable` in production.
   */
  setEmailByOperator(userId: string, email: string, context: CallContext): Promise<void>;
  /** Forgets an unfinished change. */
  cancel(userId: string, channel: ContactChannel): Promise<void>;
}

export interface ContactChangeParts {
  readonly users: UserOperations;
  readonly proofs: ContactProofs;
  readonly messages: ContactMessages;
  readonly background: Pick<RecoveryRequests, "enqueue">;
}

export function createContactChanges(
  platform: Pick<Platform, "config" | "database" | "random" | "clock" | "ephemeral" | "log">,
  parts: ContactChangeParts,
): ContactChanges {
  const { config, database, clock, log } = platform;
  const { users, proofs, messages, background } = parts;
  const hidden = hidesExisting(config);
  const books: Readonly<Record<ContactChannel, Challenges<{ address: string }>>> = {
    email: createChallenges(platform, "change_email", verificationTtl.email, changeSchema),
    phone: createChallenges(platform, "change_phone", verificationTtl.phone, changeSchema),
  };

  /** The account of a change, if it may still be used. */
  async function usable(userId: string): Promise<UserRow | undefined> {
    try {
      return await users.admit(userId);
    } catch (error) {
      if (isAuthError(error, "user_banned") || isAuthError(error, "user_not_found")) return undefined;
      throw error;
    }
  }

  function store(
    user: UserRow,
    channel: ContactChannel,
    address: string,
    context: CallContext,
  ): Promise<void> {
    return database.transaction(async (tx) => {
      if (channel === "email") {
        await users.changeEmail(user.id, address, true, context, tx);
        await verificationStore.markEmail(tx, user.id, address, clock.now());
      } else {
        await users.changePhone(user.id, address, true, context, tx);
        await verificationStore.markPhone(tx, user.id, address, clock.now());
      }
    });
  }

  async function apply(channel: ContactChannel, change: Change, context: CallContext): Promise<boolean> {
    const { owner, payload } = change;
    try {
      const user = await usable(owner);
      if (user === undefined) return false;
      const before = contactOf(user, channel);
      await store(user, channel, payload.address, context);
      // Whoever reads the old address learns of it, and can act if it was not the owner's doing.
      if (before !== null && before !== payload.address) {
        const language = user.preferredLanguage ?? context.language;
        const to = { address: before, language, username: user.username };
        await messages.notify("notice_contact_changed", channel, to);
      }
      return true;
    } catch (error) {
      await change.restore();
      if (isAuthError(error, "email_in_use") || isAuthError(error, "phone_in_use")) return false;
      throw error;
    }
  }

  async function isTaken(userId: string, channel: ContactChannel, address: string): Promise<boolean> {
    const held = await users.taken(channel === "email" ? { email: address } : { phone: address }, userId);
    return held.email || held.phone;
  }

  async function begin(
    user: UserRow,
    channel: ContactChannel,
    address: string,
    context: CallContext,
  ): Promise<void> {
    const issued = await books[channel].issue(user.id, { address });
    const language = user.preferredLanguage ?? context.language;
    const recipient = { address, language, username: user.username, key: context.messageKey };
    await messages.send("contact_change", channel, recipient, issued);
  }

  /** The contract reports whatever goes wrong here as a refusal (400), so the log has to say that it was ours. */
  async function reported(channel: ContactChannel, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      if (isAuthError(cause)) throw cause;
      log.error({ err: cause }, "a change of contact could not be begun");
      const code = channel === "email" ? "failed_to_request_email_change" : "failed_to_request_phone_change";
      throw new AuthError(code, { cause });
    }
  }

  return {
    request: (userId, channel, address, context) =>
      reported(channel, async () => {
        const user = await users.byId(userId);
        if (user === undefined) throw new AuthError("user_not_found");
        if (contactOf(user, channel) === address) {
          if (!isVerified(user, channel)) return proofs.start(user, channel, context);
          throw new AuthError(channel === "email" ? "email_unchanged" : "phone_unchanged");
        }
        if (hidden) return background.enqueue("contact_change", channel, address, context, { userId });
        if (await isTaken(userId, channel, address))
          throw new AuthError(channel === "email" ? "email_in_use" : "phone_in_use");
        await begin(user, channel, address, context);
      }),

    async serve(userId, channel, address, context) {
      if (await isTaken(userId, channel, address)) return tellOwner(parts, channel, address, context);
      const user = await usable(userId);
      if (user !== undefined) await begin(user, channel, address, context);
    },

    async applyByCode(userId, channel, address, code, context) {
      const taken = await books[channel].takeByCode(
        userId,
        code,
        ({ payload }) => payload.address === address,
      );
      return taken !== undefined && apply(channel, taken, context);
    },

    async applyByToken(channel, token, context) {
      const taken = await books[channel].takeByToken(token);
      return taken !== undefined && apply(channel, taken, context);
    },

    async setEmailByOperator(userId, email, context) {
      const changed = await users.changeEmail(userId, email, false, context);
      const user = changed ?? (await users.byId(userId));
      if (user === undefined) throw new AuthError("user_not_found");
      if (changed !== undefined) {
        // Codes and links that prove the former address, or lead to another one, must not undo what the operator has set.
        await Promise.all([books.email.drop(user.id), proofs.drop(user.id, "email")]);
      }
      if (user.emailVerified) return;
      if (messages.available("email")) await proofs.start(user, "email", context);
      else if (config.environment.class === "production") throw new AuthError("email_sender_unavailable");
    },

    async cancel(userId, channel) {
      await books[channel].drop(userId);
    },
  };
}
