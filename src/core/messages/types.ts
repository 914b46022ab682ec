import type { Transaction } from "../../platform/postgres/port.ts";

/** Kinds of spec 40 §5.1 and the security notices we add. */
export const messageKinds = [
  "signup",
  "contact_verify",
  "contact_change",
  "two_factor_setup",
  "passwordless_login",
  "password_reset",
  "login_code",
  "welcome",
  "account_registration_invite",
  "notice_contact_changed",
  "notice_password_changed",
  "notice_factor_added",
  "notice_factor_removed",
  "notice_factor_changed",
  "notice_backup_codes_renewed",
  "notice_backup_code_used",
  "notice_backup_codes_low",
  "notice_second_factor_locked",
  "notice_passkey_copied",
  "notice_provider_linked",
  "notice_provider_unlinked",
  "notice_account_deleted",
  "notice_new_device",
  "notice_registration_attempt",
] as const;

export type MessageKind = (typeof messageKinds)[number];

export type Channel = "email" | "sms";

export interface Message {
  readonly kind: MessageKind;
  readonly channel: Channel;
  readonly to: string;
  readonly language: string;
  readonly username?: string | undefined;
  readonly code?: string | undefined;
  readonly url?: string | undefined;
  /** What a sign-in came from, in words of ours. */
  readonly device?: string | undefined;
  /** Seconds the code or link lives: the message is dropped after that. */
  readonly ttlSeconds: number;
  /** Two sends with the same key deliver once; each send is a message of its own when absent. */
  readonly key?: string | undefined;
}

/** Messages go through the durable queue: accepted at once, delivered by the jobs worker, retried, dropped when their code has died. */
export interface Messages {
  /** Whether a sender for the channel is configured and (SMS) not known to be unhealthy. */
  available(channel: Channel): boolean;
  /** Queues it. Throws `email_sender_unavailable` / `sms_unavailable` when there is no sender. */
  send(message: Message, tx?: Transaction): Promise<void>;
  /** Front-end link: `verify`, `reset`, `passwordless`, `invite` with alphabetically ordered parameters (spec 40 §5.3). */
  link(
    page: "verify" | "reset" | "passwordless" | "invite",
    parameters: Readonly<Record<string, string>>,
  ): string;
}

/** What the planes and workers need beside sending. */
export interface MessageService extends Messages {
  /** Whether a sender for the channel is configured at all. */
  configured(channel: Channel): boolean;
  /** Whether a message with this key has been queued: it waits, or was sent or given up during the last hour. */
  queued(channel: Channel, key: string): Promise<boolean>;
  /**
   * Asks the SMS provider whether it would send, without sending, and tells every process. Resolves to the reason when it would not; a
   * missing sender, or one that cannot be asked, counts as healthy.
   */
  checkSmsHealth(signal?: AbortSignal): Promise<string | undefined>;
  /**
   * Throws when registrations must be verified and nothing could carry the code; warns in the log, once, when there is no sender and
   * nobody needs one.
   */
  validateVerification(): void;
  /** What is kept of messages sent through the console sender, newest first; empty outside development. */
  outbox(): Promise<readonly OutboxEntry[]>;
  /** Learns the last verdict about SMS and follows further ones. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A message the console sender showed. */
export interface OutboxEntry {
  readonly id: string;
  readonly channel: Channel;
  readonly to: string;
  readonly subject: string | undefined;
  readonly text: string;
  readonly html: string | undefined;
  /** RFC 3339. */
  readonly sentAt: string;
}
