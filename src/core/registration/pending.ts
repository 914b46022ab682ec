import { type Static, Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { foldUsername } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserAvailability } from "../users/operations.ts";
import type { UserRow } from "../users/types.ts";
import { type Challenges, createChallenges, type TakenChallenge } from "../verification/challenges.ts";
import type { ContactMessages } from "../verification/messages.ts";
import { verificationTtl } from "../verification/messages.ts";
import { hashToken } from "../verification/secrets.ts";
import type { Accounts } from "./accounts.ts";
import { hidesExisting } from "./hiding.ts";
import type { Channel, PendingRegistrations } from "./types.ts";

const pendingSchema = Type.Object({
  username: Type.String(),
  passwordHash: Type.String(),
  language: Type.String(),
  inviteHash: Type.Optional(Type.String()),
});

/** What is kept of a registration until its contact is proven. The password only as its Argon2id hash, the invite only as its hash. */
export type PendingRegistration = Static<typeof pendingSchema>;

/** Everything about unfinished registrations, the parts only this folder uses included. */
export interface PendingBook extends PendingRegistrations {
  /** Reserves address and username and sends code and link. Throws `email_in_use` / `phone_in_use` / `username_in_use`, `*_delivery_failed`. */
  start(channel: Channel, address: string, pending: PendingRegistration): Promise<void>;
  /**
   * Holds the name for the address, as long as a registration may wait, and whether or not one comes of it; true also when the address holds
   * it already.
   */
  reserve(channel: Channel, address: string, username: string): Promise<boolean>;
  /** Puts this registration in the place of any other of the address and sends code and link. The name must have been reserved. */
  replace(
    channel: Channel,
    address: string,
    pending: PendingRegistration,
    messageKey: string | undefined,
  ): Promise<void>;
  find(channel: Channel, address: string): Promise<PendingRegistration | undefined>;
  /** Whether an unfinished registration holds the name, whatever its case. */
  holdsUsername(username: string): Promise<boolean>;
  drop(channel: Channel, address: string): Promise<void>;
}

export interface PendingParts {
  readonly accounts: Accounts;
  readonly users: UserAvailability;
  readonly messages: ContactMessages;
}

export function createPendingBook(
  platform: Pick<Platform, "config" | "random" | "clock" | "ephemeral">,
  parts: PendingParts,
): PendingBook {
  const { config, ephemeral } = platform;
  const { accounts, users, messages } = parts;
  // A name given back, or held for longer, would tell that there was a registration behind it.
  const namesExpireOnly = hidesExisting(config);
  const books: Readonly<Record<Channel, Challenges<PendingRegistration>>> = {
    email: createChallenges(platform, "register_email", verificationTtl.email, pendingSchema),
    phone: createChallenges(platform, "register_phone", verificationTtl.phone, pendingSchema),
  };
  const nameKey = (username: string): string =>
    `auth:pending_registration:username:${hashToken(foldUsername(username))}`;
  const holderOf = (channel: Channel, address: string): string => hashToken(`${channel}:${address}`);

  const release = async (channel: Channel, address: string, username: string): Promise<void> => {
    await ephemeral.compareAndTake(nameKey(username), holderOf(channel, address));
  };

  /** A name or address taken since: the registration is over, whoever verified first keeps it. */
  async function assertStillFree(
    channel: Channel,
    taken: TakenChallenge<PendingRegistration>,
  ): Promise<void> {
    const asked = channel === "email" ? { email: taken.owner } : { phone: taken.owner };
    const held = await users.taken({ ...asked, username: taken.payload.username });
    if (held.email || held.phone) throw new AuthError(channel === "email" ? "email_in_use" : "phone_in_use");
    if (held.username) throw new AuthError("username_in_use");
  }

  async function finish(
    channel: Channel,
    taken: TakenChallenge<PendingRegistration>,
    context: CallContext,
  ): Promise<UserRow> {
    const { username, passwordHash, language, inviteHash } = taken.payload;
    try {
      await assertStillFree(channel, taken);
      const user = await accounts.create(
        { channel, address: taken.owner, username, passwordHash, language, inviteHash, verified: "proven" },
        context,
      );
      await release(channel, taken.owner, username);
      return user;
    } catch (error) {
      const lost = isAuthError(error, "owner_slug_taken")
        ? new AuthError("username_in_use", { cause: error })
        : error;
      const over = (
        ["email_in_use", "phone_in_use", "username_in_use", "registration_disabled"] as const
      ).some((code) => isAuthError(lost, code));
      if (over) await release(channel, taken.owner, username);
      else await taken.restore();
      throw lost;
    }
  }

  return {
    async start(channel, address, pending) {
      const issued = await books[channel].issueFirst(address, pending);
      if (issued === undefined) throw new AuthError(channel === "email" ? "email_in_use" : "phone_in_use");
      const key = nameKey(pending.username);
      if (!(await ephemeral.setIfAbsent(key, holderOf(channel, address), books[channel].ttlSeconds))) {
        await books[channel].drop(address);
        throw new AuthError("username_in_use");
      }
      await messages.send("signup", channel, { address, ...pending }, issued);
    },

    async reserve(channel, address, username) {
      const [key, holder] = [nameKey(username), holderOf(channel, address)];
      if (await ephemeral.setIfAbsent(key, holder, books[channel].ttlSeconds)) return true;
      // Its own name is held anew, so that it lasts as long as what is registered now.
      if (!(await ephemeral.compareAndTake(key, holder))) return false;
      return ephemeral.setIfAbsent(key, holder, books[channel].ttlSeconds);
    },

    async replace(channel, address, pending, key) {
      const issued = await books[channel].issue(address, pending);
      await messages.send("signup", channel, { address, ...pending, key }, issued);
    },

    async exists(channel, address) {
      return (await books[channel].find(address)) !== undefined;
    },

    async find(channel, address) {
      return (await books[channel].find(address))?.payload;
    },

    async holdsUsername(username) {
      return (await ephemeral.get(nameKey(username))) !== undefined;
    },

    async drop(channel, address) {
      if (namesExpireOnly) {
        await books[channel].drop(address);
        return;
      }
      const found = await books[channel].find(address);
      if (found === undefined) return;
      await books[channel].drop(address);
      await release(channel, address, found.payload.username);
    },

    async resend(channel, address, key) {
      const found = await books[channel].find(address);
      if (found === undefined) return false;
      const { username } = found.payload;
      const issued = await books[channel].issue(address, found.payload);
      if (!namesExpireOnly)
        await ephemeral.set(nameKey(username), holderOf(channel, address), books[channel].ttlSeconds);
      await messages.send("signup", channel, { address, ...found.payload, key }, issued);
      return true;
    },

    async confirmByCode(channel, address, code, context) {
      const taken = await books[channel].takeByCode(address, code);
      return taken === undefined ? undefined : finish(channel, taken, context);
    },

    async confirmByToken(channel, token, context) {
      const taken = await books[channel].takeByToken(token);
      return taken === undefined ? undefined : finish(channel, taken, context);
    },

    dropCode: (channel, address) => books[channel].dropCode(address),
  };
}
