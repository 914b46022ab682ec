import { AuthError } from "../../contract/errors/index.ts";
import { isUuid, parseNewEmail, parseNewPhone } from "../identifiers/index.ts";
import type { UserCapability } from "./capability.ts";
import { mappingConflicts } from "./conflicts.ts";
import type { UserRecovery } from "./operations.ts";
import { recoveryStore } from "./recovery-store.ts";
import { userStore } from "./store.ts";

/** Taking an account back from whoever took it over. */
export function createRecovery(capability: UserCapability): UserRecovery {
  const { database, clock, audit, sessions } = capability;

  return {
    async recover(userId, contact, context) {
      const email = contact.email === undefined ? null : parseNewEmail(contact.email);
      const phone = contact.phone === undefined ? null : parseNewPhone(contact.phone);
      if (!isUuid(userId)) throw new AuthError("not_found");
      return mappingConflicts(() =>
        database.transaction(async (tx) => {
          if ((await userStore.lock(tx, userId)) === undefined) throw new AuthError("not_found");
          const at = clock.now();
          // The unique index would stop it as well, but an open transaction of somebody else would have to be waited for.
          const taken = await userStore.taken(tx, email, phone, null, userId);
          if (taken?.email) throw new AuthError("email_in_use");
          if (taken?.phone) throw new AuthError("phone_in_use");
          const ended = await sessions.all(userId, "admin_revoke_all", { tx });
          const apiKeys = await recoveryStore.strip(tx, userId, at);
          const user = await recoveryStore.rebind(tx, userId, email, phone, at);
          if (user === undefined) throw new AuthError("not_found");
          const details = { channel: email === null ? "phone" : "email", sessions: ended, apiKeys };
          await audit.record(
            { action: "user.recovered", target: `user:${userId}`, outcome: "ok", details },
            context,
            tx,
          );
          return user;
        }),
      );
    },
  };
}
