import type { Core } from "../core/index.ts";
import { recoveryQueueDefinition } from "../core/verification/index.ts";
import type { JobDefinition } from "../platform/queue/index.ts";

/**
 * Looks up whom a registration, a reset, a verification or a sign-in was asked for, and sends what is due; an address nobody has gets nothing.
 * One request is one message, also when the worker dies before it could say that it has sent it: a second code would kill the one under way.
 */
export function recoveryJob(
  core: Pick<
    Core,
    | "recoveryRequests"
    | "passwordReset"
    | "verification"
    | "passwordless"
    | "registration"
    | "contactChanges"
    | "messages"
  >,
): JobDefinition {
  return {
    ...recoveryQueueDefinition,
    concurrency: 4,
    async handle({ id, payload, attempt }) {
      const { request, context } = core.recoveryRequests.open(payload, id);
      const { kind, channel, address, passwordless, registration, userId } = request;
      if (attempt > 1 && (await core.messages.queued(channel === "email" ? "email" : "sms", id))) return;
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
