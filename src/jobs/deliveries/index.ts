import { createOutbox, parseQueuedMessage, type QueuedMessage } from "../../core/messages/index.ts";
import { createTemplates, type Templates } from "../../core/messages/templates/index.ts";
import type { Platform } from "../../core/platform.ts";
import { DeliveryRefused } from "../../platform/delivery.ts";
import { createMailSender, type MailSender } from "../../platform/mail/index.ts";
import { type Job, type JobDefinition, payloadCipher } from "../../platform/queue/index.ts";
import { createSmsSender, type SmsSender } from "../../platform/sms/index.ts";
import { deliveryQueueDefinitions } from "./queues.ts";
import { showInConsole } from "./show.ts";

/** Deliveries at once in one jobs worker: what a mail server's connections bear. */
const concurrency = 8;

export type DeliveryPlatform = Pick<Platform, "config" | "ephemeral" | "clock" | "log">;

export interface Deliveries {
  readonly jobs: readonly JobDefinition[];
  close(): Promise<void>;
}

/**
 * Sends what `Messages.send` queued. A failed attempt is repeated with growing pauses until the message's time is over; a refusal by the
 * provider is final. What was handed over is remembered until then, so that a job run twice sends once.
 */
export function createDeliveries(platform: DeliveryPlatform): Deliveries {
  const { config } = platform;
  if (config.senders.mail === undefined && config.senders.sms === undefined) {
    platform.log.warn(
      {},
      "there is neither a mail nor an SMS sender: verification, password reset and codes by message are unavailable",
    );
  }
  const templates = createTemplates(config);
  const show = showInConsole(platform.log, createOutbox(platform.ephemeral), platform.clock);
  const timeoutMs = config.registration.verificationSendTimeoutMs;
  const production = config.environment.class === "production";
  const mail = createMailSender(config.senders.mail, {
    timeoutMs,
    production,
    show: (message) => show({ channel: "email", ...message }),
  });
  const sms = createSmsSender(config.senders.sms, {
    timeoutMs,
    show: (message) => show({ channel: "sms", ...message, subject: undefined, html: undefined }),
  });
  const send = sending({ mail, sms, templates, timeoutMs });
  return {
    jobs: deliveryQueueDefinitions.map((queue) => ({
      ...queue,
      concurrency,
      handle: (job) => deliver(platform, queue.name, job, send),
    })),
    async close() {
      await Promise.allSettled([mail?.close(), sms?.close()]);
    },
  };
}

type Send = (message: QueuedMessage, validSeconds: number, signal: AbortSignal) => Promise<void>;

/** Longer than any SMS is followed after it was accepted. */
const followMs = 15_000;

function sending({
  mail,
  sms,
  templates,
  timeoutMs,
}: {
  readonly mail: MailSender | undefined;
  readonly sms: SmsSender | undefined;
  readonly templates: Templates;
  readonly timeoutMs: number;
}): Send {
  return async (message, validSeconds, signal) => {
    const { id, to, channel } = message;
    const rendering = { ...message, validSeconds };
    if (channel === "email") {
      if (mail === undefined) throw new DeliveryRefused("there is no mail sender any more");
      // Time-outs are the connection's: a mail that was given up might still arrive, and then come twice.
      await mail.send({ to, ...templates.mail(rendering), idempotencyKey: id }, signal);
      return;
    }
    if (sms === undefined) throw new DeliveryRefused("there is no SMS sender any more");
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs + followMs)]);
    await sms.send({ to, text: templates.sms(rendering), idempotencyKey: id }, limit);
  };
}

async function deliver(platform: DeliveryPlatform, queue: string, job: Job, send: Send): Promise<void> {
  const { ephemeral, config } = platform;
  const message = parseQueuedMessage(payloadCipher(config).open(queue, job.payload));
  const remaining = job.secondsLeft;
  const facts = { message_id: message.id, kind: message.kind, channel: message.channel };
  const doneKey = `messages:delivered:${message.id}`;
  if ((await ephemeral.get(doneKey)) !== undefined) return;
  try {
    // After an outage the text must not promise more than is left.
    const valid = remaining >= message.ttlSeconds * 0.9 ? message.ttlSeconds : remaining;
    await send(message, valid, job.signal);
  } catch (error) {
    if (!(error instanceof DeliveryRefused)) throw error;
    job.log.error({ ...facts, reason: error.message }, "message refused by the provider");
    return;
  }
  await ephemeral.set(doneKey, "1", Math.ceil(remaining) + 60);
  job.log.info({ ...facts, attempt: job.attempt }, "message sent");
}
