import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Log } from "../../platform/log/port.ts";
import type { MessageKind, Messages } from "../messages/types.ts";
import type { IssuedChallenge } from "./challenges.ts";

export type ContactChannel = "email" | "phone";

/** Seconds a code and its link live. A number changes hands faster than a mailbox. */
export const verificationTtl: Readonly<Record<ContactChannel, number>> = { email: 3600, phone: 900 };

/** Who gets a message, and how it is written. */
export interface Recipient {
  readonly address: string;
  readonly language: string;
  readonly username?: string | null | undefined;
  /** Of the message; see `Message`. */
  readonly key?: string | undefined;
}

/** Messages with a code and a link that prove a contact. */
export interface ContactMessages {
  /** Whether this channel can send now. */
  available(channel: ContactChannel): boolean;
  /** Queues it. Throws `email_delivery_failed` / `sms_delivery_failed` when it cannot even be queued. */
  send(
    kind: Extract<MessageKind, "signup" | "contact_verify" | "contact_change">,
    channel: ContactChannel,
    to: Recipient,
    issued: IssuedChallenge,
  ): Promise<void>;
  /** Tells somebody about a change, as far as that is possible: a notice never fails an operation. */
  notify(
    kind: Extract<
      MessageKind,
      | "notice_contact_changed"
      | "notice_password_changed"
      | "notice_provider_linked"
      | "notice_provider_unlinked"
      | "notice_registration_attempt"
      | "welcome"
    >,
    channel: ContactChannel,
    to: Recipient,
  ): Promise<void>;
}

/** Seconds a notice is worth delivering. */
const noticeTtl = 24 * 3600;

/** What a failure to hand a message over is answered as. */
export function deliveryFailure(channel: ContactChannel, cause: unknown): AuthError {
  if (isAuthError(cause, "service_unavailable")) return cause;
  return new AuthError(channel === "email" ? "email_delivery_failed" : "sms_delivery_failed", { cause });
}

export function createContactMessages(messages: Messages, log: Log): ContactMessages {
  const transport = (channel: ContactChannel) => (channel === "email" ? "email" : "sms");

  return {
    available: (channel) => messages.available(transport(channel)),

    async send(kind, channel, to, issued) {
      try {
        await messages.send({
          kind,
          channel: transport(channel),
          to: to.address,
          language: to.language,
          username: to.username ?? undefined,
          code: issued.code,
          url: messages.link("verify", { channel, token: issued.token }),
          ttlSeconds: verificationTtl[channel],
          key: to.key,
        });
      } catch (cause) {
        throw deliveryFailure(channel, cause);
      }
    },

    async notify(kind, channel, to) {
      if (!messages.available(transport(channel))) return;
      try {
        await messages.send({
          kind,
          channel: transport(channel),
          to: to.address,
          language: to.language,
          username: to.username ?? undefined,
          ttlSeconds: noticeTtl,
          key: to.key,
        });
      } catch (error) {
        log.warn({ err: error, kind }, "a notice could not be sent");
      }
    },
  };
}
