import { isAuthError } from "../../contract/errors/index.ts";
import type { Limits } from "../limits/index.ts";
import type { PendingLogins } from "../login/types.ts";
import type { Passwords } from "../passwords/types.ts";
import type { Platform } from "../platform.ts";
import { mayMessage } from "../verification/gate.ts";
import { hidesExisting } from "./hiding.ts";
import type { PendingBook } from "./pending.ts";

/** Logins of people whose registration waits for verification: the right password sends them the code again. */
export function createPendingLogins(
  platform: Pick<Platform, "config" | "hasher" | "log">,
  parts: {
    readonly pending: PendingBook;
    readonly passwords: Pick<Passwords, "verifyNobody">;
    readonly limits: Limits;
  },
): PendingLogins {
  const { config, hasher, log } = platform;
  const { pending, passwords, limits } = parts;
  const hidden = hidesExisting(config);

  return {
    async resume(kind, identifier, password, context) {
      // The password just registered opens nothing where the address was somebody's: so it must not where a registration waits.
      const found = hidden ? undefined : await pending.find(kind, identifier);
      if (found === undefined) {
        await passwords.verifyNobody(password, context);
        return undefined;
      }
      const stored = { hash: found.passwordHash, algorithm: "argon2id", params: null };
      const { match } = await hasher.verify(stored, password, context.signal);
      if (!match) return undefined;
      if (await mayMessage(limits, `auth_register_resend_${kind}`, identifier)) {
        try {
          if (!(await pending.resend(kind, identifier))) return "retry";
        } catch (error) {
          if (isAuthError(error, "service_unavailable")) throw error;
          log.error({ err: error }, "the code of a pending registration could not be sent again");
          return undefined;
        }
      }
      if (config.registration.verification !== "required") return "retry";
      return { kind: "verification_required", identifier, channel: kind };
    },
  };
}
