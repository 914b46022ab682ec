export interface MailMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly categories: readonly string[];
  /** The same key never delivers twice. */
  readonly idempotencyKey: string;
}

export interface MailSender {
  readonly name: string;
  /** Rejects when the provider did not take the message. */
  send(message: MailMessage, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
