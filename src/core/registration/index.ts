import { AuthError, failingAs } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/types.ts";
import { normalizeEmail, normalizePhone } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserOperations } from "../users/index.ts";
import { type Accounts, createAccounts } from "./accounts.ts";
import { createAvailability } from "./availability.ts";
import { hidesExisting } from "./hiding.ts";
import { createPendingBook, type PendingBook, type PendingRegistration } from "./pending.ts";
import { createRegister, type RegisterParts } from "./register.ts";
import { createServe } from "./serve.ts";
import type { Registration } from "./types.ts";

export type { Accounts } from "./accounts.ts";
export type { PendingBook } from "./pending.ts";
export { createPendingLogins } from "./pending-logins.ts";
export { type ConsumeInvite, consumeInvite } from "./store.ts";
export type {
  Availability,
  FieldAvailability,
  PendingRegistrations,
  Registration,
  RegistrationRequest,
  RegistrationResult,
} from "./types.ts";

/** An address no registration has. */
const nobody = "";

/** Accounts in the making: used by registration and by the confirmation of contacts. */
export interface RegistrationBooks {
  readonly accounts: Accounts;
  readonly pending: PendingBook;
}

export function createRegistrationBooks(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "ephemeral">,
  parts: {
    readonly users: UserOperations;
    readonly audit: Audit;
    readonly messages: RegisterParts["messages"];
  },
): RegistrationBooks {
  const accounts = createAccounts(platform, parts);
  return { accounts, pending: createPendingBook(platform, { ...parts, accounts }) };
}

export function createRegistration(
  platform: Pick<Platform, "config" | "log" | "hasher">,
  parts: RegisterParts,
): Registration {
  const { pending, passwords, background } = parts;
  const hidden = hidesExisting(platform.config);

  async function matches(
    { passwordHash }: PendingRegistration,
    password: string,
    context: CallContext,
  ): Promise<boolean> {
    const stored = { hash: passwordHash, algorithm: "argon2id", params: null };
    return (await platform.hasher.verify(stored, password, context.signal)).match;
  }

  return {
    register: createRegister(platform, parts),
    availability: createAvailability(platform, parts),
    ...createServe(platform, parts),

    async resend(channel, address, context) {
      if (hidden) return background.enqueue("verification", channel, address, context);
      const found = await failingAs("resend_failed", () => pending.resend(channel, address));
      if (!found) throw new AuthError("pending_registration_not_found");
    },

    async abandon(identifier, password, context) {
      const trimmed = identifier.trim();
      const channel = trimmed.startsWith("+") ? "phone" : "email";
      const address = channel === "phone" ? normalizePhone(trimmed) : normalizeEmail(trimmed);
      const found = await pending.find(channel, address);
      const match = found !== undefined && (await matches(found, password, context));
      if (found === undefined) await passwords.verifyNobody(password, context);
      if (match) await pending.drop(channel, address);
      // The same work where there is nothing to drop.
      else if (hidden) await pending.drop(channel, nobody);
    },
  };
}
