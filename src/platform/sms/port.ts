export interface SmsMessage {
  readonly to: string;
  readonly text: string;
  readonly idempotencyKey: string;
}

export interface SmsSender {
  readonly name: string;
  send(message: SmsMessage, signal?: AbortSignal): Promise<void>;
  /** Checks account and sender without sending; resolves to a reason when unhealthy. */
  health?(signal?: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}
