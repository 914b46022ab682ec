import { AuthError } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import { parseNewEmail, parseNewPhone, parseUserId } from "../identifiers/index.ts";
import type { UserCapability } from "./capability.ts";
import { mappingConflicts } from "./conflicts.ts";
import type { UserContacts } from "./operations.ts";
import { profileStore } from "./profile-store.ts";
import { userStore } from "./store.ts";

/** Storage of e-mail addresses and phone numbers. */
export function createContacts(capability: UserCapability): UserContacts {
  const { database, clock, audit } = capability;

  function within<T>(tx: Transaction | undefined, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return mappingConflicts(() => (tx === undefined ? database.transaction(work) : work(tx)));
  }

  return {
    async changeEmail(userId, text, verified, context, tx) {
      const email = parseNewEmail(text);
      const id = parseUserId(userId);
      return within(tx, async (on) => {
        const user = await userStore.lock(on, id);
        if (user === undefined) throw new AuthError("user_not_found");
        if (user.email?.toLowerCase() === email) return undefined;
        const changed = await profileStore.setEmail(on, id, email, verified, clock.now());
        await audit.record(
          { action: "user.email_changed", target: `user:${id}`, outcome: "ok", details: { verified } },
          context,
          on,
        );
        return changed;
      });
    },

    async changePhone(userId, text, verified, context, tx) {
      const id = parseUserId(userId);
      const phone = parseNewPhone(text);
      return within(tx, async (on) => {
        const user = await userStore.lock(on, id);
        if (user === undefined) throw new AuthError("user_not_found");
        if (user.phoneNumber === phone) return undefined;
        const changed = await profileStore.setPhone(on, id, phone, verified, clock.now());
        await audit.record(
          { action: "user.phone_changed", target: `user:${id}`, outcome: "ok", details: { verified } },
          context,
          on,
        );
        return changed;
      });
    },
  };
}
