import { AuthError } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserRow, Users } from "../users/index.ts";
import { verificationStore } from "../verification/store.ts";
import { registrationStore } from "./store.ts";
import type { Channel } from "./types.ts";

/** An account about to be made. */
export interface NewAccount {
  readonly channel: Channel;
  readonly address: string;
  readonly username: string;
  /** Null for an account without a password. */
  readonly passwordHash: string | null;
  readonly language: string;
  readonly inviteHash: string | undefined;
  /**
   * `proven`: a code or link came back; `assumed`: marked as verified without proof (the policy asks for none); `no`: not verified yet.
   */
  readonly verified: "proven" | "assumed" | "no";
}

/** Makes accounts: user, password, language, invite and audit row in one transaction. */
export interface Accounts {
  /**
   * Throws `registration_disabled` when an invite is needed and the given one is not good (any more), with the reason as its cause, `email_in_use`, `phone_in_use`,
   * `owner_slug_taken` for what somebody else took meanwhile.
   */
  create(account: NewAccount, context: CallContext): Promise<UserRow>;
  /** Whether this mode lets somebody register over the channel with this invite. Throws `registration_disabled`. */
  assertOpen(channel: Channel, inviteHash: string | undefined): Promise<void>;
}

/** The very reason, for those who may know it. */
async function deadInvite(tx: Transaction, inviteHash: string | undefined): Promise<AuthError | undefined> {
  if (inviteHash === undefined) return undefined;
  const state = (await registrationStore.whyDead(tx, inviteHash)) ?? "not_found";
  return new AuthError(`account_registration_invite_${state}`);
}

export function createAccounts(
  platform: Pick<Platform, "config" | "database" | "clock">,
  parts: { readonly users: Pick<Users, "create">; readonly audit: Audit },
): Accounts {
  const { config, database, clock } = platform;
  const { mode } = config.registration;

  return {
    async assertOpen(channel, inviteHash) {
      if (mode === "open") return;
      if (
        mode === "closed" ||
        channel === "phone" ||
        inviteHash === undefined ||
        !(await registrationStore.inviteIsLive(database, inviteHash, clock.now()))
      ) {
        throw new AuthError("registration_disabled");
      }
    },

    async create(account, context) {
      if (mode === "closed") throw new AuthError("registration_disabled");
      const { channel, address, inviteHash, verified } = account;
      const byEmail = channel === "email";
      return database.transaction(async (tx) => {
        const user = await parts.users.create(
          {
            email: byEmail ? address : null,
            phoneNumber: byEmail ? null : address,
            username: account.username,
            emailVerified: byEmail && verified !== "no",
            phoneVerified: !byEmail && verified !== "no",
            preferredLanguage: account.language,
            passwordHash: account.passwordHash,
          },
          tx,
        );
        if (byEmail && verified === "proven")
          await verificationStore.markEmail(tx, user.id, address, clock.now());
        const invite =
          inviteHash === undefined
            ? undefined
            : await registrationStore.consumeInvite(tx, inviteHash, user.id, clock.now());
        if (mode !== "open" && invite === undefined)
          throw new AuthError("registration_disabled", { cause: await deadInvite(tx, inviteHash) });
        await parts.audit.record(
          {
            action: "user.created",
            target: `user:${user.id}`,
            outcome: "ok",
            details: {
              channel,
              verified,
              ...(invite === undefined ? {} : { invite: invite.id }),
              ...(invite?.groupId == null ? {} : { group: invite.groupId, role: invite.role }),
            },
          },
          context,
          tx,
        );
        return user;
      });
    },
  };
}
