import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { isReservedUsername, parseUsername } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { Accounts } from "../registration/accounts.ts";
import type { UserAvailability } from "../users/operations.ts";
import type { UserRow, Users } from "../users/types.ts";
import type { TakenChallenge } from "../verification/challenges.ts";
import { verificationStore } from "../verification/store.ts";
import type { ProvenPasswordless } from "./types.ts";

/** What is kept between the message and its return. */
export interface PasswordlessPayload {
  /** Undefined when nobody had the address: the account is made now. */
  readonly userId?: string;
  readonly username?: string;
  readonly language: string;
  readonly returnTo: string;
  readonly inviteHash: string;
}

/** Names tried when others take them at the same moment. */
const usernameAttempts = 3;

export interface RedemptionParts {
  readonly users: Pick<Users, "byId" | "byEmail" | "byPhone" | "admitRow"> & UserAvailability;
  readonly accounts: Accounts;
}

/**
 * Turns a challenge that came back into its account: the one it was sent to, the one that took the contact meanwhile, or a new one. Marks the
 * contact as verified. Throws `invalid_or_expired_code` (its cause is `registration_disabled` when an invite has gone meanwhile), `user_banned`.
 */
export function createRedemption(
  platform: Pick<Platform, "config" | "database" | "clock">,
  parts: RedemptionParts,
): (
  channel: "email" | "phone",
  taken: TakenChallenge<PasswordlessPayload>,
  context: CallContext,
) => Promise<ProvenPasswordless> {
  const { config, database, clock } = platform;
  const { users, accounts } = parts;
  const { reservedUsernames } = config.registration;

  const holder = (channel: "email" | "phone", address: string): Promise<UserRow | undefined> =>
    channel === "email" ? users.byEmail(address) : users.byPhone(address);

  async function marked(
    channel: "email" | "phone",
    address: string,
    user: UserRow | undefined,
  ): Promise<UserRow | undefined> {
    if (user === undefined) return undefined;
    const admitted = await users.admitRow(user);
    const mark = channel === "email" ? verificationStore.markEmail : verificationStore.markPhone;
    if (!(await mark(database, user.id, address, clock.now()))) return undefined;
    return {
      ...admitted,
      emailVerified: channel === "email" || admitted.emailVerified,
      phoneVerified: channel === "phone" || admitted.phoneVerified,
    };
  }

  function usable(name: string | undefined): name is string {
    if (name === undefined) return false;
    try {
      return parseUsername(name, "interactive") !== "" && !isReservedUsername(name, reservedUsernames);
    } catch {
      return false;
    }
  }

  async function created(
    channel: "email" | "phone",
    address: string,
    payload: PasswordlessPayload,
    context: CallContext,
  ): Promise<UserRow | undefined> {
    const source = channel === "email" ? { email: address } : { preferred: "user" };
    let username = usable(payload.username) ? payload.username : await users.freeUsername(source);
    for (let attempt = 1; ; attempt++) {
      try {
        return await accounts.create(
          {
            channel,
            address,
            username,
            passwordHash: null,
            language: payload.language || context.language,
            inviteHash: payload.inviteHash === "" ? undefined : payload.inviteHash,
            verified: "proven",
          },
          context,
        );
      } catch (error) {
        if (isAuthError(error, "email_in_use") || isAuthError(error, "phone_in_use"))
          return marked(channel, address, await holder(channel, address));
        if (!isAuthError(error, "owner_slug_taken") || attempt === usernameAttempts) throw error;
        username = await users.freeUsername(source);
      }
    }
  }

  return async (channel, taken, context) => {
    const { owner: address, payload } = taken;
    try {
      const known =
        payload.userId === undefined ? await holder(channel, address) : await users.byId(payload.userId);
      const mayRegister =
        payload.userId === undefined &&
        config.passwordless.autoRegister &&
        config.registration.mode !== "closed";
      const user =
        known !== undefined
          ? await marked(channel, address, known)
          : mayRegister
            ? await created(channel, address, payload, context)
            : undefined;
      if (user === undefined) throw new AuthError("invalid_or_expired_code");
      return { user, channel, returnTo: payload.returnTo };
    } catch (error) {
      if (isAuthError(error, "registration_disabled"))
        throw new AuthError("invalid_or_expired_code", { cause: error });
      // A refusal is final; a failure of ours must not cost the code.
      if (!isAuthError(error) || isAuthError(error, "service_unavailable")) await taken.restore();
      throw error;
    }
  };
}
