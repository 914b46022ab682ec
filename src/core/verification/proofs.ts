import { Type } from "typebox";
import type { CallContext, Platform } from "../platform.ts";
import type { UserRow } from "../users/types.ts";
import { type Challenges, createChallenges, type TakenChallenge } from "./challenges.ts";
import { type ContactChannel, type ContactMessages, verificationTtl } from "./messages.ts";

const proofSchema = Type.Object({ address: Type.String() });

/** A code or link came back: this account receives what is sent to this address. */
export type ProvenContact = TakenChallenge<{ readonly address: string }>;

/** Outstanding proofs of contacts that accounts have, but have not verified. One for each account and channel, kept by user id. */
export interface ContactProofs {
  /** New code and link for the contact the account has; the old ones are dead. Throws `*_delivery_failed`. */
  start(user: UserRow, channel: ContactChannel, context: CallContext): Promise<void>;
  /** The code counts only for the address it was sent to. */
  takeByCode(
    userId: string,
    channel: ContactChannel,
    address: string,
    code: string,
  ): Promise<ProvenContact | undefined>;
  /** `owner` of the result is the user id. */
  takeByToken(channel: ContactChannel, token: string): Promise<ProvenContact | undefined>;
  drop(userId: string, channel: ContactChannel): Promise<void>;
}

/** The account's own address on a channel. */
export function contactOf(user: UserRow, channel: ContactChannel): string | null {
  return channel === "email" ? user.email : user.phoneNumber;
}

export function isVerified(user: UserRow, channel: ContactChannel): boolean {
  return channel === "email" ? user.emailVerified : user.phoneVerified;
}

export function createContactProofs(
  platform: Pick<Platform, "config" | "random" | "clock" | "ephemeral">,
  messages: ContactMessages,
): ContactProofs {
  const books: Readonly<Record<ContactChannel, Challenges<{ address: string }>>> = {
    email: createChallenges(platform, "verify_email", verificationTtl.email, proofSchema),
    phone: createChallenges(platform, "verify_phone", verificationTtl.phone, proofSchema),
  };

  return {
    async start(user, channel, context) {
      const address = contactOf(user, channel);
      if (address === null) throw new Error("an account without the contact cannot prove it");
      const issued = await books[channel].issue(user.id, { address });
      const language = user.preferredLanguage ?? context.language;
      const recipient = { address, language, username: user.username, key: context.messageKey };
      await messages.send("contact_verify", channel, recipient, issued);
    },

    takeByCode: (userId, channel, address, code) =>
      books[channel].takeByCode(userId, code, ({ payload }) => payload.address === address),

    takeByToken: (channel, token) => books[channel].takeByToken(token),

    async drop(userId, channel) {
      await books[channel].drop(userId);
    },
  };
}
