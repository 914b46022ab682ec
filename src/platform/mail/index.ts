import type { MailSenderConfig } from "../../config/config.ts";
import { type ConsoleMail, createConsoleMailSender } from "./console.ts";
import type { MailSender } from "./port.ts";
import { createSmtpSender } from "./smtp.ts";
import { createWebhookMailSender } from "./webhook.ts";

export type { ConsoleMail } from "./console.ts";
export type { MailMessage, MailSender } from "./port.ts";

export interface MailSenderOptions {
  /** What the console sender does with a mail. */
  readonly show: (mail: ConsoleMail) => Promise<void>;
  /** Milliseconds one mail may take. */
  readonly timeoutMs: number;
  /** Production demands encryption towards servers that are not on this machine. */
  readonly production: boolean;
}

/** The configured sender; undefined = none. */
export function createMailSender(
  config: MailSenderConfig | undefined,
  options: MailSenderOptions,
): MailSender | undefined {
  switch (config?.kind) {
    case undefined:
      return undefined;
    case "console":
      return createConsoleMailSender(options.show);
    case "smtp":
      return createSmtpSender(config, options);
    case "webhook":
      return createWebhookMailSender(config, options);
  }
}
