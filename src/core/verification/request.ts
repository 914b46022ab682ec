import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { hidesExisting } from "../registration/hiding.ts";
import type { PendingRegistrations } from "../registration/types.ts";
import type { UserRow, Users } from "../users/types.ts";
import type { ContactChannel } from "./messages.ts";
import { type ContactProofs, isVerified } from "./proofs.ts";
import type { RecoveryRequests } from "./recovery-requests.ts";
import type { Verification } from "./types.ts";

export interface RequestParts {
  readonly users: Pick<Users, "byEmail" | "byPhone" | "admitRow">;
  readonly pending: PendingRegistrations;
  readonly proofs: ContactProofs;
  readonly background: RecoveryRequests;
}

/** See {@link Verification.request}. */
export function createRequest(
  platform: Pick<Platform, "config">,
  parts: RequestParts,
): Pick<Verification, "request" | "serve"> {
  const { users, pending, proofs, background } = parts;
  const hidden = hidesExisting(platform.config);

  /** The account that holds the address and may be used; deleted and banned ones get no codes. */
  async function usable(channel: ContactChannel, address: string): Promise<UserRow | undefined> {
    const user = await (channel === "email" ? users.byEmail(address) : users.byPhone(address));
    if (user === undefined) return undefined;
    try {
      return await users.admitRow(user);
    } catch (error) {
      if (isAuthError(error, "user_banned") || isAuthError(error, "user_not_found")) return undefined;
      throw error;
    }
  }

  async function serve(
    channel: ContactChannel,
    address: string,
    context: CallContext,
  ): Promise<"sent" | "verified" | "unknown"> {
    const user = await usable(channel, address);
    if (user === undefined)
      return (await pending.resend(channel, address, context.messageKey)) ? "sent" : "unknown";
    if (isVerified(user, channel)) return "verified";
    await proofs.start(user, channel, context);
    return "sent";
  }

  return {
    async serve(channel, address, context) {
      await serve(channel, address, context);
    },

    async request(channel, address, context) {
      if (hidden) return background.enqueue("verification", channel, address, context);
      const result = await serve(channel, address, context);
      if (result === "unknown") throw new AuthError("user_not_found");
      if (result === "verified")
        throw new AuthError(channel === "email" ? "email_already_verified" : "phone_already_verified");
    },
  };
}
