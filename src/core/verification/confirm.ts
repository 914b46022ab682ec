import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { ContactChanges } from "../contact-change/index.ts";
import { isEmail, isPhone, normalizeEmail, normalizePhone } from "../identifiers/index.ts";
import type { LoginCompletion } from "../login/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import { hidesExisting } from "../registration/hiding.ts";
import type { PendingRegistrations } from "../registration/types.ts";
import type { UserRow, Users } from "../users/types.ts";
import type { CodeAttempts } from "./attempts.ts";
import type { ContactChannel } from "./messages.ts";
import { type ContactProofs, isVerified, type ProvenContact } from "./proofs.ts";
import { verificationStore } from "./store.ts";
import type { ConfirmOutcome, Verification } from "./types.ts";

export interface ConfirmParts {
  readonly users: Pick<Users, "byId" | "byEmail" | "byPhone">;
  readonly pending: PendingRegistrations;
  readonly proofs: ContactProofs;
  readonly changes: ContactChanges;
  readonly attempts: CodeAttempts;
  readonly completion: LoginCompletion;
}

/** No account has this id. */
const nobody = "";

/** Codes of a registration that somebody else finished first. */
const lostRaces = ["email_in_use", "phone_in_use", "username_in_use"] as const;

/** See {@link Verification}. */
export function createConfirm(
  platform: Pick<Platform, "config" | "database" | "clock">,
  parts: ConfirmParts,
): Pick<Verification, "confirmByCode" | "confirmByToken"> {
  const { config, database, clock } = platform;
  const { users, pending, proofs, changes, attempts, completion } = parts;
  const hidden = hidesExisting(config);

  const byAddress = (channel: ContactChannel, address: string): Promise<UserRow | undefined> =>
    channel === "email" ? users.byEmail(address) : users.byPhone(address);

  async function signIn(
    user: UserRow,
    channel: ContactChannel,
    context: CallContext,
  ): Promise<ConfirmOutcome> {
    const byEmail = channel === "email";
    const outcome = await completion.complete(
      user,
      {
        methods: [byEmail ? "email" : "sms"],
        origin: byEmail ? "email_verification" : "phone_verification",
        skipVerification: true,
      },
      context,
    );
    return { kind: "signed_in", outcome };
  }

  /** The pending registration's account; undefined when there is none to confirm, or it came too late. */
  async function registered(work: () => Promise<UserRow | undefined>): Promise<UserRow | undefined> {
    try {
      return await work();
    } catch (error) {
      for (const code of lostRaces) {
        if (!isAuthError(error, code)) continue;
        if (config.strictStatus) throw new AuthError(code, { status: 409, cause: error });
        return undefined;
      }
      if (isAuthError(error, "registration_disabled")) return undefined;
      throw error;
    }
  }

  /** Sets the flag of an account whose contact is still the proven one. */
  async function verified(channel: ContactChannel, proven: ProvenContact): Promise<UserRow | undefined> {
    const { owner, payload } = proven;
    try {
      const mark = channel === "email" ? verificationStore.markEmail : verificationStore.markPhone;
      if (!(await mark(database, owner, payload.address, clock.now()))) return undefined;
      return await users.byId(owner);
    } catch (error) {
      await proven.restore();
      throw error;
    }
  }

  async function redeemCode(
    channel: ContactChannel,
    address: string,
    code: string,
    userId: string | undefined,
    context: CallContext,
  ): Promise<ConfirmOutcome | undefined> {
    const created = await registered(() => pending.confirmByCode(channel, address, code, context));
    if (created !== undefined) return signIn(created, channel, context);
    const holder = await byAddress(channel, address);
    // Looked up for nobody as well, so that it takes as long.
    const proven = await proofs.takeByCode(holder?.id ?? nobody, channel, address, code);
    const user = proven === undefined ? undefined : await verified(channel, proven);
    if (user !== undefined) return signIn(user, channel, context);
    if (userId !== undefined && (await changes.applyByCode(userId, channel, address, code, context)))
      return { kind: "contact_changed" };
    return undefined;
  }

  /** Kills every code the guesses may have been aimed at. A pending registration itself stays: it is not the guesser's to destroy. */
  async function killCodes(
    channel: ContactChannel,
    address: string,
    userId: string | undefined,
  ): Promise<void> {
    await pending.dropCode(channel, address);
    const holder = await byAddress(channel, address);
    await proofs.drop(holder?.id ?? nobody, channel);
    if (userId !== undefined) await changes.cancel(userId, channel);
  }

  /** Why a link does not work, for a client that knows whose it was. */
  async function deadToken(channel: ContactChannel, text: string): Promise<AuthError> {
    if (hidden) return new AuthError("invalid_or_expired_token");
    const byEmail = channel === "email";
    const address = byEmail ? normalizeEmail(text) : normalizePhone(text);
    if (!(byEmail ? isEmail(address) : isPhone(address))) return new AuthError("invalid_or_expired_token");
    const user = await byAddress(channel, address);
    if (user !== undefined && isVerified(user, channel))
      return new AuthError(byEmail ? "email_already_verified" : "phone_already_verified");
    if (user === undefined && (await pending.exists(channel, address)))
      return new AuthError("invalid_or_expired_token");
    return new AuthError("verification_link_expired");
  }

  return {
    async confirmByCode(channel, address, code, userId, context) {
      const { allowed, last } = await attempts.begin(channel, address);
      const confirmed = allowed ? await redeemCode(channel, address, code, userId, context) : undefined;
      if (confirmed !== undefined) {
        await attempts.clear(channel, address);
        return confirmed;
      }
      if (last) {
        await killCodes(channel, address, userId);
        await attempts.clear(channel, address);
      }
      throw new AuthError("invalid_or_expired_code");
    },

    async confirmByToken(channel, token, address, context) {
      const created = await registered(() => pending.confirmByToken(channel, token, context));
      if (created !== undefined) return signIn(created, channel, context);
      const proven = await proofs.takeByToken(channel, token);
      const user = proven === undefined ? undefined : await verified(channel, proven);
      if (user !== undefined) return signIn(user, channel, context);
      if (await changes.applyByToken(channel, token, context)) return { kind: "contact_changed" };
      throw await deadToken(channel, address);
    },
  };
}
