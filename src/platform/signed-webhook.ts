import { createHmac } from "node:crypto";
import { answerError } from "./delivery.ts";
import { createOutbound } from "./outbound/undici.ts";

export interface SignedWebhook {
  /** Rejects unless the receiver answered 2xx. */
  post(body: object, idempotencyKey: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface SignedWebhookOptions {
  readonly url: string;
  readonly secret: string;
  readonly timeoutMs: number;
}

/**
 * Hands messages to an address of the operator's as JSON. Headers:
 *
 * - `X-AuthKit-Timestamp`: seconds since the epoch; receivers refuse what is older than five minutes.
 * - `X-AuthKit-Signature`: `v1=` and the lower-case hexadecimal HMAC-SHA-256, keyed with the shared secret, over
 *   `<timestamp>.<body>` with the body's exact bytes.
 * - `Idempotency-Key`: equal in every repetition of the same message; receivers drop what they have had.
 *
 * 2xx = accepted. Of the other answers 400, 404, 410, 413, 422 and their like are final, 401, 403, 408, 409, 425, 429 and 5xx are tried
 * again later.
 */
export function createSignedWebhook(options: SignedWebhookOptions): SignedWebhook {
  // The address is the operator's own and often inside the network.
  const outbound = createOutbound({ allowPrivate: true });
  return {
    async post(body, idempotencyKey, signal) {
      const text = JSON.stringify(body);
      const timestamp = String(Math.floor(Date.now() / 1000));
      const response = await outbound.request({
        url: options.url,
        method: "POST",
        headers: {
          "content-type": "application/json",
          "idempotency-key": idempotencyKey,
          "x-authkit-timestamp": timestamp,
          "x-authkit-signature": `v1=${webhookSignature(options.secret, timestamp, text)}`,
        },
        body: text,
        timeout: options.timeoutMs,
        maxBytes: 64 * 1024,
        ...(signal === undefined ? {} : { signal }),
      });
      if (response.status < 200 || response.status > 299) throw answerError("the webhook", response.status);
    },
    close: () => outbound.close(),
  };
}

/** Hexadecimal HMAC-SHA-256 over `<timestamp>.<body>`. */
export function webhookSignature(secret: string, timestamp: string, body: string): string {
  return createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
}
