import { AuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/types.ts";
import { isUuid } from "../identifiers/index.ts";
import type { LoginCompletion } from "../login/types.ts";
import type { Notices } from "../notices/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { Users } from "../users/types.ts";
import { createCeremonies } from "./ceremonies.ts";
import { parseLabel } from "./credentials.ts";
import { createPasskeyLogin } from "./login.ts";
import { createPasskeyRegistration } from "./registration.ts";
import { type PasskeyRef, passkeyStore } from "./store.ts";
import type { Passkeys } from "./types.ts";
import { createWebAuthn } from "./webauthn.ts";

export type { CreationOptions, Passkey, Passkeys, RequestOptions } from "./types.ts";

export interface PasskeyParts {
  readonly users: Pick<Users, "admit">;
  readonly audit: Audit;
  readonly notices: Notices;
  readonly completion: LoginCompletion;
}

/** Passkeys: ceremonies of WebAuthn, and what their owners do with them. */
export function createPasskeys(
  platform: Pick<Platform, "config" | "database" | "ephemeral" | "clock" | "random" | "log">,
  { users, audit, notices, completion }: PasskeyParts,
): Passkeys {
  const { config, database, clock } = platform;
  const { rpId } = config.passkeys;
  const ceremonies = createCeremonies(platform);
  const webauthn = createWebAuthn(config.passkeys);

  /** Throws `not_found` for a text that is no id. */
  function reference(userId: string, id: string): PasskeyRef {
    if (!isUuid(id)) throw new AuthError("not_found");
    return { id: id.toLowerCase(), userId, rpId };
  }

  const recorded = (action: "passkey.renamed" | "passkey.removed", { id, userId }: PasskeyRef) =>
    ({ action, target: `user:${userId}`, outcome: "ok", details: { passkey: id } }) as const;

  async function remove(ref: PasskeyRef, context: CallContext): Promise<void> {
    await database.transaction(async (tx) => {
      // Of the last two ways into an account, two requests at once must not remove both.
      await passkeyStore.lockOwner(tx, ref.userId);
      if (!(await passkeyStore.remove(tx, ref, clock.now()))) {
        const last = await passkeyStore.exists(tx, ref);
        throw new AuthError(last ? "cannot_unlink_last_login_method" : "not_found");
      }
      await audit.record(recorded("passkey.removed", ref), context, tx);
    });
  }

  return {
    ...createPasskeyRegistration(platform, { users, audit, notices, ceremonies, webauthn }),
    ...createPasskeyLogin(platform, { users, audit, notices, ceremonies, webauthn, completion }),

    list: (userId) => passkeyStore.list(database, userId, rpId),

    async rename(userId, id, text, context) {
      const label = parseLabel(text);
      const ref = reference(userId, id);
      await database.transaction(async (tx) => {
        if (!(await passkeyStore.rename(tx, ref, label))) throw new AuthError("not_found");
        await audit.record(recorded("passkey.renamed", ref), context, tx);
      });
    },

    async remove(userId, id, context) {
      await remove(reference(userId, id), context);
      await notices.tell("notice_factor_removed", userId, context);
    },
  };
}
