import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/types.ts";
import type { LoginCompletion } from "../login/types.ts";
import type { Notices } from "../notices/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserRow, Users } from "../users/types.ts";
import type { Ceremonies } from "./ceremonies.ts";
import { type AssertionCredential, CeremonyFailure, readAssertion } from "./credentials.ts";
import { ceremonyTimeout, logFailure } from "./registration.ts";
import { passkeyStore } from "./store.ts";
import type { Passkeys } from "./types.ts";
import type { VerifiedAssertion, WebAuthn } from "./webauthn.ts";

export interface PasskeyLoginParts {
  readonly users: Pick<Users, "admit">;
  readonly audit: Audit;
  readonly notices: Notices;
  readonly ceremonies: Ceremonies;
  readonly webauthn: WebAuthn;
  readonly completion: LoginCompletion;
}

/** See {@link Passkeys}. */
export function createPasskeyLogin(
  platform: Pick<Platform, "config" | "database" | "clock" | "log">,
  parts: PasskeyLoginParts,
): Pick<Passkeys, "beginLogin" | "finishLogin"> {
  const { config, database, clock, log } = platform;
  const { users, audit, notices, ceremonies, webauthn, completion } = parts;
  const { rpId, userVerification } = config.passkeys;

  /** Stores the use. A counter that does not follow means that somebody may have a copy of the key. */
  async function use(
    userId: string,
    passkeyId: string,
    assertion: VerifiedAssertion,
    context: CallContext,
  ): Promise<void> {
    const used = await passkeyStore.use(database, { id: passkeyId, userId }, assertion, clock.now());
    if (used === "gone") throw new CeremonyFailure("deleted meanwhile", { userId });
    if (used === "used") return;
    log.warn({ userId, passkeyId }, "the counter of a passkey went back: it may have been copied");
    const target = `user:${userId}`;
    await audit.record(
      { action: "passkey.clone_detected", target, outcome: "refused", details: { passkey: passkeyId } },
      context,
    );
    await notices.tell("notice_passkey_copied", userId, context);
    throw new CeremonyFailure("the sign counter does not follow", { userId });
  }

  async function admitted(userId: string): Promise<UserRow> {
    try {
      return await users.admit(userId);
    } catch (cause) {
      if (isAuthError(cause, "user_banned") || isAuthError(cause, "user_not_found"))
        throw new CeremonyFailure("user_banned", { cause, userId });
      throw cause;
    }
  }

  async function ofOwner(userId: string, work: () => Promise<VerifiedAssertion>): Promise<VerifiedAssertion> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof CeremonyFailure) throw new CeremonyFailure(cause.message, { cause, userId });
      throw cause;
    }
  }

  /** The account whose authenticator answered. Throws {@link CeremonyFailure}. */
  async function verified(credential: AssertionCredential, context: CallContext): Promise<UserRow> {
    await ceremonies.take("login", credential.clientData.challenge);
    const handle = Buffer.from(credential.userHandle, "base64url");
    const id = Buffer.from(credential.id, "base64url");
    const found = await passkeyStore.forLogin(database, handle, rpId, id);
    if (found === undefined) throw new CeremonyFailure("unknown user handle");
    const { userId, passkeyId, publicKey, backupEligible } = found;
    const user = await admitted(userId);
    if (passkeyId === null || publicKey === null)
      throw new CeremonyFailure("the account has no such passkey", { userId });
    const assertion = await ofOwner(userId, () => webauthn.verifyAssertion(credential, publicKey));
    if (assertion.backupEligible !== backupEligible)
      throw new CeremonyFailure("the backup eligibility has changed", { userId });
    if (assertion.backupState && !assertion.backupEligible)
      throw new CeremonyFailure("backed up without being eligible", { userId });
    await use(userId, passkeyId, assertion, context);
    return user;
  }

  async function refuse(failure: CeremonyFailure, context: CallContext): Promise<never> {
    logFailure(log, failure, "a passkey login");
    const reason = failure.message === "user_banned" ? "user_banned" : "invalid_credentials";
    const { userId } = failure;
    await audit.session(
      { event: "session_failed", userId, sessionId: "", method: "passkey_login", reason },
      context,
    );
    throw new AuthError("invalid_credentials", { cause: failure });
  }

  return {
    async beginLogin() {
      const challenge = await ceremonies.begin("login");
      return { challenge, timeout: ceremonyTimeout, rpId, userVerification };
    },

    async finishLogin(json, context) {
      let userId = "";
      try {
        const user = await verified(readAssertion(json), context);
        userId = user.id;
        return await completion.complete(
          user,
          {
            methods: ["swk", "mfa"],
            origin: "passkey_login",
            satisfiesMfa: true,
            // The authenticator is what this login rests on; contacts of the account play no part in it.
            skipVerification: true,
          },
          context,
        );
      } catch (error) {
        if (error instanceof CeremonyFailure) return refuse(error, context);
        if (isAuthError(error, "user_banned"))
          return refuse(new CeremonyFailure("user_banned", { cause: error, userId }), context);
        if (isAuthError(error, "session_creation_failed"))
          throw new AuthError("token_issue_failed", { cause: error });
        throw error;
      }
    },
  };
}
