import type { Transaction } from "../../platform/postgres/port.ts";

/** Kinds of spec 40 §5.1 and the security notices we add. */
export type MessageKind =
  | "signup"
  | "contact_verify"
  | "contact_change"
  | "two_factor_setup"
  | "passwordless_login"
  | "password_reset"
  | "login_code"
  | "welcome"
  | "account_registration_invite"
  | "notice_contact_changed"
  | "notice_password_changed"
  | "notice_factor_added"
  | "notice_factor_removed"
  | "notice_provider_linked"
  | "notice_account_deleted"
  | "notice_registration_attempt";

export interface Message {
  readonly kind: MessageKind;
  readonly channel: "email" | "sms";
  readonly to: string;
  readonly language: string;
  readonly username?: string | undefined;
  readonly code?: string | undefined;
  readonly url?: string | undefined;
  /** Seconds the code or link lives: the message is dropped after that. */
  readonly ttlSeconds: number;
}

/** Messages go through the durable queue: accepted at once, delivered by the jobs worker, retried, dropped when their code has died. */
export interface Messages {
  /** Whether a sender for the channel is configured and (SMS) not known to be unhealthy. */
  available(channel: "email" | "sms"): boolean;
  /** Queues it. Throws `email_sender_unavailable` / `sms_unavailable` when there is no sender. */
  send(message: Message, tx?: Transaction): Promise<void>;
  /** Front-end link: `verify`, `reset`, `passwordless`, `invite` with alphabetically ordered parameters (spec 40 §5.3). */
  link(page: "verify" | "reset" | "passwordless" | "invite", parameters: Readonly<Record<string, string>>): string;
}
