import type { Core } from "../core/index.ts";
import { recoveryQueue } from "../core/verification/index.ts";
import type { JobDefinition } from "../platform/queue/index.ts";

/** Looks up whom a reset, a verification or a sign-in was asked for, and sends what is due; an address nobody has gets nothing. */
export function recoveryJob(
  core: Pick<Core, "recoveryRequests" | "passwordReset" | "verification" | "passwordless">,
): JobDefinition {
  return {
    name: recoveryQueue,
    concurrency: 4,
    async handle({ payload }) {
      const { request, context } = core.recoveryRequests.open(payload);
      const { channel, address, passwordless } = request;
      if (request.kind === "password_reset") await core.passwordReset.serve(channel, address, context);
      else if (passwordless !== undefined)
        await core.passwordless.serve({ channel, address, ...passwordless }, context);
      else await core.verification.serve(channel, address, context);
    },
  };
}
