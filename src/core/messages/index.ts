import { AuthError } from "../../contract/errors/index.ts";
import { payloadCipher } from "../../platform/queue/index.ts";
import { createSmsSender } from "../../platform/sms/index.ts";
import type { Platform } from "../platform.ts";
import { deliveryQueues, type QueuedMessage } from "./envelope.ts";
import { createLinks } from "./links.ts";
import { createOutbox } from "./outbox.ts";
import { createSmsHealth } from "./sms-health.ts";
import type { Channel, MessageService } from "./types.ts";

export { deliveryQueues, parseQueuedMessage, type QueuedMessage } from "./envelope.ts";
export { createOutbox, type Outbox } from "./outbox.ts";
export type { Channel, Message, MessageKind, MessageService, Messages, OutboxEntry } from "./types.ts";

const unverifiable =
  'authkit: registration verification policy is "required" but no email or SMS sender is configured';
const healthTimeoutMs = 15_000;

/** Accepts messages into the queue; what renders and sends them lives with the jobs. */
export function createMessages(
  platform: Pick<Platform, "config" | "queue" | "clock" | "random" | "ephemeral" | "bus" | "log">,
): MessageService {
  const { config, queue, clock, random } = platform;
  const { mail, sms } = config.senders;
  const cipher = payloadCipher(config);
  const health = createSmsHealth(platform);
  const outbox = createOutbox(platform.ephemeral);
  const smsSender = createSmsSender(sms, {});
  const development = config.environment.class === "development";

  let warned = false;

  const configured = (channel: Channel): boolean => (channel === "email" ? mail : sms) !== undefined;

  return {
    configured,
    available: (channel) => configured(channel) && (channel === "email" || health.healthy()),
    async send(message, tx) {
      const { channel, ttlSeconds, key } = message;
      if (!configured(channel))
        throw new AuthError(channel === "email" ? "email_sender_unavailable" : "sms_unavailable");
      const id = key ?? random.uuid();
      const queued: QueuedMessage = { ...message, id, expiresAt: clock.millis() + ttlSeconds * 1000 };
      const name = deliveryQueues[channel];
      await queue.enqueue(name, cipher.seal(name, queued), {
        key: id,
        expireInSeconds: ttlSeconds,
        ...(tx === undefined ? {} : { tx }),
      });
    },
    queued: (channel, key) => queue.holds(deliveryQueues[channel], key),
    link: createLinks(config),
    async checkSmsHealth(signal) {
      const limit = AbortSignal.timeout(healthTimeoutMs);
      const reason = await smsSender?.health?.(
        signal === undefined ? limit : AbortSignal.any([limit, signal]),
      );
      await health.report(reason);
      return reason;
    },
    validateVerification() {
      if (configured("email") || configured("sms")) return;
      if (config.registration.verification === "required") throw new AuthError(unverifiable, { status: 500 });
      if (!warned) platform.log.warn({}, "there is neither a mail nor an SMS sender");
      warned = true;
    },
    outbox: async () => (development ? outbox.list() : []),
    start: () => health.start(),
    async close() {
      await health.close();
      await smsSender?.close();
    },
  };
}
