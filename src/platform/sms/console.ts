import type { SmsSender } from "./port.ts";

export interface ConsoleSms {
  readonly id: string;
  readonly to: string;
  readonly text: string;
}

/** Shown instead of sent: `show` gets the whole message, so this is for development alone. */
export function createConsoleSmsSender(show: (sms: ConsoleSms) => Promise<void>): SmsSender {
  return {
    name: "console",
    send: ({ to, text, idempotencyKey }) => show({ id: idempotencyKey, to, text }),
    close: async () => undefined,
  };
}
