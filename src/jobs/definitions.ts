import { cleanExpiredState } from "../core/cleanup/index.ts";
import type { Core } from "../core/index.ts";
import type { Platform } from "../core/platform.ts";
import { rotateSigningKeys } from "../core/signing-keys/index.ts";
import type { JobDefinition } from "../platform/queue/index.ts";
import { purgeDeletedUsers } from "./cleanup/index.ts";
import { recoveryJob } from "./recovery.ts";

/** Everything the jobs worker runs. Each is idempotent: a job cut off half-way is simply run again. */
export function jobDefinitions(platform: Platform, core: Core): readonly JobDefinition[] {
  const { config, log } = platform;
  const jobs: JobDefinition[] = [
    recoveryJob(core),
    {
      name: "cleanup-expired-state",
      cron: "7 * * * *",
      async handle({ signal }) {
        const removed = await cleanExpiredState(platform, { signal });
        log.info({ removed }, "expired state removed");
      },
    },
  ];
  if (config.retention.purgeDeletedAfterDays > 0) {
    jobs.push({
      name: "purge-deleted-users",
      cron: "23 3 * * *",
      timeoutSeconds: 660,
      async handle({ signal }) {
        const purged = await purgeDeletedUsers(platform, core.users, {
          days: config.retention.purgeDeletedAfterDays,
          signal,
        });
        log.info({ purged }, "deleted accounts purged");
      },
    });
  }
  if (config.keys.keyringSecret !== undefined) {
    jobs.push({
      name: "rotate-signing-keys",
      cron: "* * * * *",
      async handle() {
        await rotateSigningKeys(platform, "due");
      },
    });
  }
  return jobs;
}
