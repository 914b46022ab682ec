import type { Log } from "../../platform/log/port.ts";
import type { Messages } from "../messages/types.ts";
import type { CallContext } from "../platform.ts";
import type { Users } from "../users/types.ts";

/** Seconds a notice is worth delivering. */
const noticeTtl = 24 * 3600;

/** Tells the owner of an account about changes of its passkeys. */
export interface PasskeyNotices {
  /** As far as that is possible: a notice never fails an operation. */
  send(
    kind: "notice_factor_added" | "notice_factor_removed",
    userId: string,
    context: CallContext,
  ): Promise<void>;
}

export function createPasskeyNotices(
  messages: Messages,
  users: Pick<Users, "byId">,
  log: Log,
): PasskeyNotices {
  return {
    async send(kind, userId, context) {
      try {
        const user = await users.byId(userId);
        if (user?.email == null || !user.emailVerified || !messages.available("email")) return;
        await messages.send({
          kind,
          channel: "email",
          to: user.email,
          language: user.preferredLanguage ?? context.language,
          username: user.username ?? undefined,
          ttlSeconds: noticeTtl,
        });
      } catch (err) {
        log.warn({ err, userId }, "a notice about passkeys could not be sent");
      }
    },
  };
}
