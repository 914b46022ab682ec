import type { PasskeyConfig } from "../../config/config.ts";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Log } from "../../platform/log/port.ts";
import { ConstraintViolation } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/types.ts";
import type { Notices } from "../notices/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserRow, Users } from "../users/types.ts";
import type { Ceremonies } from "./ceremonies.ts";
import { CeremonyFailure, type RegistrationCredential, readRegistration } from "./credentials.ts";
import { passkeyStore } from "./store.ts";
import type { Passkey, Passkeys } from "./types.ts";
import { algorithms, type NewCredential, type WebAuthn } from "./webauthn.ts";

/** Milliseconds a browser gives its user. */
export const ceremonyTimeout = 300_000;
const handleBytes = 64;

export interface RegistrationParts {
  readonly users: Pick<Users, "admit">;
  readonly audit: Audit;
  readonly notices: Notices;
  readonly ceremonies: Ceremonies;
  readonly webauthn: WebAuthn;
}

/** Text of a failed ceremony into the log; anything else goes on as it is. */
export function logFailure(log: Log, error: unknown, ceremony: string): void {
  if (error instanceof CeremonyFailure) log.info({ reason: error.message }, `${ceremony} refused`);
}

/** See {@link Passkeys}. */
export function createPasskeyRegistration(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "log">,
  parts: RegistrationParts,
): Pick<Passkeys, "beginRegistration" | "finishRegistration"> {
  const { config, database, clock, random, log } = platform;
  const { users, audit, notices, ceremonies, webauthn } = parts;
  const settings: PasskeyConfig = config.passkeys;
  const { rpId } = settings;

  async function owner(userId: string): Promise<UserRow> {
    try {
      return await users.admit(userId);
    } catch (cause) {
      if (isAuthError(cause, "user_banned") || isAuthError(cause, "user_not_found"))
        throw new AuthError("passkey_failed", { cause });
      throw cause;
    }
  }

  async function verified(userId: string, json: unknown) {
    try {
      const credential = readRegistration(json);
      await ceremonies.take("registration", credential.clientData.challenge, userId);
      return { credential, made: await webauthn.verifyRegistration(credential) };
    } catch (error) {
      logFailure(log, error, "a passkey registration");
      throw error instanceof CeremonyFailure ? new AuthError("invalid_request", { cause: error }) : error;
    }
  }

  async function store(
    userId: string,
    { transports, authenticatorAttachment: attachment }: RegistrationCredential,
    made: NewCredential,
    context: CallContext,
  ): Promise<Passkey> {
    const ref = { id: random.uuid(), userId, rpId };
    try {
      return await database.transaction(async (tx) => {
        if (!(await passkeyStore.lockOwner(tx, userId))) throw new AuthError("invalid_request");
        const entry = { ...made, transports, attachment };
        const passkey = await passkeyStore.insert(tx, ref, entry, clock.now(), settings.maxPerUser);
        if (passkey === undefined) throw new AuthError("passkey_limit_reached");
        await audit.record(
          {
            action: "passkey.added",
            target: `user:${userId}`,
            outcome: "ok",
            details: { passkey: passkey.id, aaguid: made.aaguid.toString("hex") },
          },
          context,
          tx,
        );
        return passkey;
      });
    } catch (cause) {
      if (cause instanceof ConstraintViolation && cause.kind === "unique")
        throw new AuthError("passkey_already_registered", { cause });
      throw cause;
    }
  }

  return {
    async beginRegistration({ userId }) {
      const user = await owner(userId);
      const credentials = await passkeyStore.credentials(database, userId, rpId);
      if (credentials.length >= settings.maxPerUser) throw new AuthError("passkey_limit_reached");
      const fresh = random.bytes(handleBytes);
      const handle = await passkeyStore.handle(database, userId, rpId, fresh, clock.now());
      const name = user.email ?? user.username ?? user.id;
      return {
        rp: { name: settings.rpName, id: rpId },
        user: { name, displayName: name, id: handle.toString("base64url") },
        challenge: await ceremonies.begin("registration", userId),
        pubKeyCredParams: algorithms.map((alg) => ({ type: "public-key", alg })),
        timeout: ceremonyTimeout,
        ...(credentials.length === 0
          ? {}
          : {
              excludeCredentials: credentials.map(({ credentialId, transports }) => ({
                type: "public-key",
                id: credentialId.toString("base64url"),
                ...(transports.length === 0 ? {} : { transports }),
              })),
            }),
        authenticatorSelection: {
          requireResidentKey: true,
          residentKey: "required",
          userVerification: settings.userVerification,
        },
        attestation: "none",
      };
    },

    async finishRegistration({ userId }, json, context) {
      const { credential, made } = await verified(userId, json);
      const passkey = await store(userId, credential, made, context);
      await notices.tell("notice_factor_added", userId, context);
      return passkey;
    },
  };
}
