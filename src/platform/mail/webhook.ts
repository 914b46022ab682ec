import type { MailSenderConfig } from "../../config/config.ts";
import { createSignedWebhook } from "../signed-webhook.ts";
import type { MailSender } from "./port.ts";

/** Hands each mail to an HTTP address: `{channel, id, from, to, subject, text, html, categories}`. */
export function createWebhookMailSender(
  config: MailSenderConfig & { readonly kind: "webhook" },
  options: { readonly timeoutMs: number },
): MailSender {
  const webhook = createSignedWebhook({
    url: config.url,
    secret: config.secret,
    timeoutMs: options.timeoutMs,
  });
  return {
    name: "webhook",
    send({ to, subject, text, html, categories, idempotencyKey }, signal) {
      const body = {
        channel: "email",
        id: idempotencyKey,
        from: config.from,
        to,
        subject,
        text,
        html,
        categories,
      };
      return webhook.post(body, idempotencyKey, signal);
    },
    close: () => webhook.close(),
  };
}
