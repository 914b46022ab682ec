import type { Log } from "../../platform/log/port.ts";
import type { Channel, MessageKind, Messages } from "../messages/types.ts";
import type { CallContext } from "../platform.ts";
import type { UserRow, Users } from "../users/types.ts";

/** Seconds a notice is worth delivering. */
const ttlSeconds = 24 * 3600;

/** Nobody is welcomed on the telephone, or rung up by every other browser. */
const mailOnly: ReadonlySet<string> = new Set(["welcome", "notice_new_device"]);

/** What the owner of an account is told about it. Notices about an address go to that address, and are not among them. */
export type OwnerNotice =
  | "welcome"
  | Exclude<
      Extract<MessageKind, `notice_${string}`>,
      "notice_contact_changed" | "notice_new_device" | "notice_registration_attempt"
    >;

/** Tells people what was done to their accounts, as far as that is possible: a notice never fails an operation. */
export interface Notices {
  /** `user` is the account or its id. */
  tell(kind: OwnerNotice, user: UserRow | string, context: CallContext): Promise<void>;
  /** Tells of a sign-in by a device the account has not been used with; by mail only, since such sign-ins are frequent. */
  tellNewDevice(user: UserRow, device: string, context: CallContext): Promise<void>;
}

/** Where the owner most likely is: a verified address first, an unproven mailbox last, an unproven number never. */
function addressOf(user: UserRow): { readonly channel: Channel; readonly to: string } | undefined {
  const { email, emailVerified, phoneNumber, phoneVerified } = user;
  if (email !== null && (emailVerified || phoneNumber === null || !phoneVerified))
    return { channel: "email", to: email };
  return phoneNumber !== null && phoneVerified ? { channel: "sms", to: phoneNumber } : undefined;
}

/** See {@link Notices}. */
export function createNotices(
  messages: Pick<Messages, "available" | "send">,
  users: Pick<Users, "byId">,
  log: Log,
): Notices {
  async function send(
    kind: OwnerNotice | "notice_new_device",
    user: UserRow | string,
    context: CallContext,
    more: { readonly device?: string } = {},
  ): Promise<void> {
    try {
      const owner = typeof user === "string" ? await users.byId(user) : user;
      const address = owner === undefined ? undefined : addressOf(owner);
      if (owner === undefined || address === undefined || !messages.available(address.channel)) return;
      if (mailOnly.has(kind) && address.channel === "sms") return;
      await messages.send({
        ...address,
        ...more,
        kind,
        language: owner.preferredLanguage ?? context.language,
        username: owner.username ?? undefined,
        ttlSeconds,
      });
    } catch (err) {
      log.warn({ err, kind }, "a notice could not be sent");
    }
  }

  return {
    tell: (kind, user, context) => send(kind, user, context),
    tellNewDevice: (user, device, context) => send("notice_new_device", user, context, { device }),
  };
}
