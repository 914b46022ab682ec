import type { QueueDefinition } from "../platform/queue/index.ts";

/** The queues of this release, so that producers find them before the jobs worker first ran. */
export const queueDefinitions: readonly QueueDefinition[] = [
  { name: "cleanup-expired-state" },
  { name: "purge-deleted-users", timeoutSeconds: 660 },
  { name: "rotate-signing-keys" },
  { name: "recovery-requests" },
];
