import { AuthError, failingAs, isAuthError } from "../../contract/errors/index.ts";
import { parseNewEmail, parseNewPhone, parseUsername } from "../identifiers/index.ts";
import type { Platform } from "../platform.ts";
import type { TakenIdentifiers, UserAvailability } from "../users/operations.ts";
import { hidesExisting } from "./hiding.ts";
import type { PendingBook } from "./pending.ts";
import type { Channel, FieldAvailability, Registration } from "./types.ts";

const free: FieldAvailability = { available: true };
const refused = (error: string): FieldAvailability => ({ available: false, error });

/** The normal form, or the code under which it is refused. */
function parsed(parse: () => string): { readonly value: string } | { readonly error: string } {
  try {
    return { value: parse() };
  } catch (error) {
    if (isAuthError(error)) return { error: error.code };
    throw error;
  }
}

/** See {@link Registration.availability}. */
export function createAvailability(
  platform: Pick<Platform, "config">,
  parts: { readonly users: UserAvailability; readonly pending: PendingBook },
): Registration["availability"] {
  const { mode, reservedUsernames } = platform.config.registration;
  const hidden = hidesExisting(platform.config);

  const taken = (field: Parameters<UserAvailability["taken"]>[0]): Promise<TakenIdentifiers> =>
    failingAs("database_error", () => parts.users.taken(field));

  async function ofUsername(text: string): Promise<FieldAvailability> {
    const name = parsed(() => parseUsername(text, "interactive", reservedUsernames));
    if ("error" in name) return refused(name.error);
    if ((await taken({ username: name.value })).username) return refused("owner_slug_taken");
    return (await parts.pending.holdsUsername(name.value)) ? refused("username_in_use") : free;
  }

  async function ofAddress(channel: Channel, text: string): Promise<FieldAvailability> {
    const byEmail = channel === "email";
    const address = parsed(() => (byEmail ? parseNewEmail(text) : parseNewPhone(text)));
    if ("error" in address) return refused(address.error);
    if (hidden) return free;
    const held = await taken(byEmail ? { email: address.value } : { phone: address.value });
    const inUse = held.email || held.phone || (await parts.pending.exists(channel, address.value));
    return inUse ? refused(byEmail ? "email_in_use" : "phone_in_use") : free;
  }

  return async (query) => {
    const username = query.username?.trim() ?? "";
    const email = query.email?.trim() ?? "";
    const phone = query.phoneNumber?.trim() ?? "";
    if (username === "" && email === "" && phone === "") throw new AuthError("invalid_request");
    const ask = (look: () => Promise<FieldAvailability>) =>
      mode === "open" ? look() : Promise.resolve(refused("registration_disabled"));
    const [ofName, ofEmail, ofPhone] = await Promise.all([
      username === "" ? undefined : ask(() => ofUsername(username)),
      email === "" ? undefined : ask(() => ofAddress("email", email)),
      phone === "" ? undefined : ask(() => ofAddress("phone", phone)),
    ]);
    return {
      ...(ofName === undefined ? {} : { username: ofName }),
      ...(ofEmail === undefined ? {} : { email: ofEmail }),
      ...(ofPhone === undefined ? {} : { phoneNumber: ofPhone }),
    };
  };
}
