import { recoveryQueueDefinition } from "../core/verification/index.ts";
import type { QueueDefinition } from "../platform/queue/index.ts";
import { deliveryQueueDefinitions } from "./deliveries/queues.ts";

/** The queues of this release, so that producers find them before the jobs worker first ran. */
export const queueDefinitions: readonly QueueDefinition[] = [
  { name: "cleanup-expired-state" },
  { name: "purge-deleted-users", timeoutSeconds: 660 },
  { name: "rotate-signing-keys" },
  ...deliveryQueueDefinitions,
  recoveryQueueDefinition,
];
