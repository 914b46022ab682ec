import type { MailSender } from "./port.ts";

/** Shown instead of sent: `show` gets the whole mail, so this is for development alone. */
export function createConsoleMailSender(show: (mail: ConsoleMail) => Promise<void>): MailSender {
  return {
    name: "console",
    send: ({ to, subject, text, html, idempotencyKey }) =>
      show({ id: idempotencyKey, to, subject, text, html }),
    close: async () => undefined,
  };
}

export interface ConsoleMail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}
