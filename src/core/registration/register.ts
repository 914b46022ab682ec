import { AuthError, failingAs } from "../../contract/errors/index.ts";
import { isStorable, parseUsername, registrationIdentifier } from "../identifiers/index.ts";
import type { Limits } from "../limits/index.ts";
import type { LoginCompletion } from "../login/types.ts";
import type { Passwords } from "../passwords/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserAvailability } from "../users/operations.ts";
import type { UserRow, Users } from "../users/types.ts";
import type { ContactMessages } from "../verification/messages.ts";
import type { RecoveryRequests } from "../verification/recovery-requests.ts";
import { hashToken } from "../verification/secrets.ts";
import type { Accounts } from "./accounts.ts";
import { hidesExisting } from "./hiding.ts";
import type { PendingBook } from "./pending.ts";
import type { Channel, Registration, RegistrationResult } from "./types.ts";

export interface RegisterParts {
  readonly users: Pick<Users, "byEmail" | "byPhone"> & UserAvailability;
  readonly passwords: Passwords;
  readonly limits: Limits;
  readonly accounts: Accounts;
  readonly pending: PendingBook;
  readonly messages: ContactMessages;
  readonly completion: LoginCompletion;
  readonly background: Pick<RecoveryRequests, "enqueue">;
  /** Issues and sends a code for an account whose contact is not verified yet (policy `optional`). */
  readonly startVerification: (user: UserRow, channel: Channel, context: CallContext) => Promise<void>;
}

/** See {@link Registration.register}. */
export function createRegister(
  platform: Pick<Platform, "config" | "log">,
  parts: RegisterParts,
): Registration["register"] {
  const { config, log } = platform;
  const { users, passwords, limits, accounts, pending, messages, completion, background } = parts;
  const { verification: policy, reservedUsernames } = config.registration;
  const hidden = hidesExisting(config);

  async function assertNameFree(text: string): Promise<string> {
    const username = parseUsername(text, "interactive", reservedUsernames);
    const taken = await failingAs("database_error", () => users.taken({ username }));
    if (taken.username) throw new AuthError("owner_slug_taken");
    return username;
  }

  /** Whether the address belongs to somebody, or waits to. */
  async function isTaken(channel: Channel, address: string): Promise<boolean> {
    const held = await failingAs("database_error", () =>
      users.taken(channel === "email" ? { email: address } : { phone: address }),
    );
    return held.email || held.phone || (await pending.exists(channel, address));
  }

  return async (request, context) => {
    if (config.registration.mode === "closed") throw new AuthError("registration_disabled");
    const typed = request.identifier.trim();
    const typedName = request.username.trim();
    if (typed === "" || typedName === "" || !isStorable(typed)) throw new AuthError("invalid_request");
    await limits.check("auth_register", { id: typed });
    passwords.assertAcceptable(request.password, {
      email: typed.includes("@") ? typed : null,
      username: typedName,
    });
    const username = await assertNameFree(typedName);
    const { kind: channel, value: address } = registrationIdentifier(typed);
    const byEmail = channel === "email";
    const passwordHash = await failingAs("hash_failed", () => passwords.hash(request.password, context));
    const sendable = messages.available(channel);
    if (policy === "required" && !sendable) {
      throw new AuthError(byEmail ? "email_registration_unavailable" : "phone_registration_unavailable", {
        ...(config.strictStatus ? { status: 503 } : {}),
      });
    }
    const token = request.inviteToken?.trim() ?? "";
    const inviteHash = token === "" ? undefined : hashToken(token);
    const answer = (
      nextAction: RegistrationResult["nextAction"],
      login: RegistrationResult["login"],
    ): RegistrationResult => ({
      username,
      email: byEmail ? address : null,
      phoneNumber: byEmail ? null : address,
      nextAction,
      login,
    });
    const verify = byEmail ? "verify_email" : "verify_phone";

    if (hidden && policy === "required") {
      // Nobody looks here whether the address is somebody's: the name is held and the rest is done in the background, whoever has it.
      await accounts.assertOpen(channel, inviteHash);
      if (!(await pending.reserve(channel, address, username))) throw new AuthError("username_in_use");
      await background.enqueue("registration", channel, address, context, {
        registration: { username, passwordHash, ...(inviteHash === undefined ? {} : { inviteHash }) },
      });
      return answer(verify, undefined);
    }
    const taken = await isTaken(channel, address);
    if (taken && !hidden) throw new AuthError(byEmail ? "email_in_use" : "phone_in_use");
    if (await pending.holdsUsername(username)) throw new AuthError("username_in_use");
    await accounts.assertOpen(channel, inviteHash);
    if (taken) {
      await background.enqueue("registration", channel, address, context);
      return answer("none", undefined);
    }
    if (policy === "required") {
      await pending.start(channel, address, {
        username,
        passwordHash,
        language: context.language,
        ...(inviteHash === undefined ? {} : { inviteHash }),
      });
      return answer(verify, undefined);
    }

    const proofWanted = policy === "optional" && sendable;
    const user = await failingAs("registration_failed", () =>
      accounts.create(
        {
          ...{ channel, address, username, passwordHash, language: context.language, inviteHash },
          verified: proofWanted ? "no" : "assumed",
        },
        context,
      ),
    );
    if (proofWanted) {
      try {
        await parts.startVerification(user, channel, context);
      } catch (error) {
        // The account exists and can be used; a new code can be asked for.
        log.warn({ err: error, user_id: user.id }, "the verification message of a new account was not sent");
      }
    }
    const login = await failingAs("token_issue_failed", () =>
      completion.complete(
        user,
        { methods: ["pwd"], origin: "registration", skipVerification: true },
        context,
      ),
    );
    return answer("none", login);
  };
}
