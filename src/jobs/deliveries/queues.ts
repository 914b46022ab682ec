import { deliveryQueues } from "../../core/messages/index.ts";
import type { QueueDefinition } from "../../platform/queue/index.ts";

/** Attempts end with the message's time, not with their number: pauses of 2 s, 4 s, … up to a minute. */
export const deliveryQueueDefinitions: readonly QueueDefinition[] = Object.values(deliveryQueues).map(
  (name) => ({
    name,
    retryLimit: 10_000,
    retryDelaySeconds: 2,
    retryDelayMaxSeconds: 60,
    timeoutSeconds: 60,
    retentionSeconds: 3_600,
  }),
);
