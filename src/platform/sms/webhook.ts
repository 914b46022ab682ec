import type { SmsSenderConfig } from "../../config/config.ts";
import { createSignedWebhook } from "../signed-webhook.ts";
import type { SmsSender } from "./port.ts";

/** Hands each SMS to an HTTP address: `{channel, id, to, text}`. */
export function createWebhookSmsSender(
  config: SmsSenderConfig & { readonly kind: "webhook" },
  options: { readonly timeoutMs: number },
): SmsSender {
  const webhook = createSignedWebhook({
    url: config.url,
    secret: config.secret,
    timeoutMs: options.timeoutMs,
  });
  return {
    name: "webhook",
    send: ({ to, text, idempotencyKey }, signal) =>
      webhook.post({ channel: "sms", id: idempotencyKey, to, text }, idempotencyKey, signal),
    close: () => webhook.close(),
  };
}
