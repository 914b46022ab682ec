import type { CallContext, Platform } from "../platform.ts";
import type { UserAvailability } from "../users/operations.ts";
import type { Users } from "../users/types.ts";
import type { ContactMessages } from "../verification/messages.ts";
import type { PendingBook } from "./pending.ts";
import type { Channel, Registration } from "./types.ts";

export interface ServeParts {
  readonly users: Pick<Users, "byEmail" | "byPhone"> & UserAvailability;
  readonly pending: PendingBook;
  readonly messages: Pick<ContactMessages, "notify">;
}

/** Tells whoever has the address of an account that a stranger named it; a deleted account's is told nothing. */
export async function tellOwner(
  { users, messages }: Pick<ServeParts, "users" | "messages">,
  channel: Channel,
  address: string,
  context: CallContext,
): Promise<void> {
  const owner = await (channel === "email" ? users.byEmail(address) : users.byPhone(address));
  if (owner === undefined || owner.deletedAt !== null) return;
  await messages.notify("notice_registration_attempt", channel, {
    address,
    language: owner.preferredLanguage ?? context.language,
    username: owner.username,
    key: context.messageKey,
  });
}

/** See {@link Registration.serve}. */
export function createServe(
  platform: Pick<Platform, "config">,
  parts: ServeParts,
): Pick<Registration, "serve"> {
  const { users, pending } = parts;
  const waits = platform.config.registration.verification === "required";

  return {
    async serve(channel, address, claim, context) {
      const held = await users.taken(channel === "email" ? { email: address } : { phone: address });
      if (held.email || held.phone) await tellOwner(parts, channel, address, context);
      else if (waits && claim !== undefined)
        await pending.replace(channel, address, { ...claim, language: context.language }, context.messageKey);
      else await pending.resend(channel, address, context.messageKey);
    },
  };
}
