import type { Core } from "../core/index.ts";
import { recoveryQueue } from "../core/verification/index.ts";
import type { JobDefinition } from "../platform/queue/index.ts";

/** Looks up whom a registration, a reset, a verification or a sign-in was asked for, and sends what is due; an address nobody has gets nothing. */
export function recoveryJob(
  core: Pick<
    Core,
    "recoveryRequests" | "passwordReset" | "verification" | "passwordless" | "registration" | "contactChanges"
  >,
): JobDefinition {
  return {
    name: recoveryQueue,
    concurrency: 4,
    async handle({ payload }) {
      const { request, context } = core.recoveryRequests.open(payload);
      const { kind, channel, address, passwordless, registration, userId } = request;
      if (kind === "password_reset") await core.passwordReset.serve(channel, address, context);
      else if (kind === "registration")
        await core.registration.serve(channel, address, registration, context);
      else if (kind === "contact_change" && userId !== undefined)
        await core.contactChanges.serve(userId, channel, address, context);
      else if (passwordless !== undefined)
        await core.passwordless.serve({ channel, address, ...passwordless }, context);
      else await core.verification.serve(channel, address, context);
    },
  };
}
