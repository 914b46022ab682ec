import type { SmsSenderConfig } from "../../config/config.ts";
import { type ConsoleSms, createConsoleSmsSender } from "./console.ts";
import type { SmsSender } from "./port.ts";
import { createTwilioSender } from "./twilio.ts";
import { createWebhookSmsSender } from "./webhook.ts";

export type { ConsoleSms } from "./console.ts";
export type { SmsMessage, SmsSender } from "./port.ts";

export interface SmsSenderOptions {
  /** What the console sender does with a message; nothing when absent. */
  readonly show?: (sms: ConsoleSms) => Promise<void>;
  /** Milliseconds one request to the provider may take; default 10 000. */
  readonly timeoutMs?: number;
}

/** The configured sender; undefined = none. */
export function createSmsSender(
  config: SmsSenderConfig | undefined,
  options: SmsSenderOptions,
): SmsSender | undefined {
  const timeoutMs = options.timeoutMs ?? 10_000;
  switch (config?.kind) {
    case undefined:
      return undefined;
    case "console":
      return createConsoleSmsSender(options.show ?? (async () => undefined));
    case "twilio":
      return createTwilioSender(config, { timeoutMs });
    case "webhook":
      return createWebhookSmsSender(config, { timeoutMs });
  }
}
