import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/types.ts";
import type { Identities } from "../identities/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { ConsumeInvite } from "../registration/index.ts";
import type { UserAvailability } from "../users/operations.ts";
import type { UserRow, Users } from "../users/types.ts";
import type { ChallengeRecord } from "./challenges.ts";

/** A name is tried as it is, then this often with four random digits. */
const suffixTries = 9;
/** Longest base that leaves room for `_` and four digits within the 30 bytes of a username. */
const baseLength = 25;
/** Times an account is tried again because somebody took the name between the check and the insert. */
const attempts = 5;

export interface NewAccountParts {
  readonly users: Pick<Users, "create"> & UserAvailability;
  readonly identities: Pick<Identities, "link">;
  readonly audit: Audit;
  readonly consumeInvite: ConsumeInvite;
}

/** Makes accounts for wallets nobody has linked: user, link, invite and audit row in one transaction. */
export function createWalletAccounts(
  { config, database, clock, random }: Pick<Platform, "config" | "database" | "clock" | "random">,
  { users, identities, audit, consumeInvite }: NewAccountParts,
) {
  const { mode } = config.registration;

  async function freeName(wanted: string | undefined, address: string): Promise<string> {
    const base = wanted ?? `u_${address.slice(0, 4).toLowerCase()}`;
    for (let i = 0; i <= suffixTries; i++) {
      const name = i === 0 ? base : `${base.slice(0, baseLength)}_${random.digits(4)}`;
      if (!(await users.taken({ username: name })).username) return name;
    }
    return `u_${random.digits(8)}`;
  }

  function insert(record: ChallengeRecord, issuer: string, username: string, context: CallContext) {
    return database.transaction(async (tx) => {
      const user = await users.create(
        {
          email: null,
          phoneNumber: null,
          username,
          emailVerified: false,
          phoneVerified: false,
          preferredLanguage: context.language,
          passwordHash: null,
        },
        tx,
      );
      const { address: subject, inviteHash } = record;
      if (mode !== "open") {
        const invite =
          inviteHash === undefined ? undefined : await consumeInvite(tx, inviteHash, user.id, clock.now());
        if (invite === undefined) throw new AuthError("registration_disabled");
      }
      await audit.record(
        {
          action: "user.created",
          target: `user:${user.id}`,
          outcome: "ok",
          details: { channel: "wallet", issuer, subject },
        },
        context,
        tx,
      );
      await identities.link(
        { userId: user.id, issuer, provider: "solana", subject, email: null },
        context,
        tx,
      );
      return user;
    });
  }

  /** Throws `registration_disabled`; `provider_already_linked` when another request was first to make an account for the wallet. */
  return async function create(
    record: ChallengeRecord,
    issuer: string,
    context: CallContext,
  ): Promise<UserRow> {
    if (mode === "closed" || (mode === "invite_only" && record.inviteHash === undefined)) {
      throw new AuthError("registration_disabled");
    }
    for (let attempt = 1; ; attempt++) {
      const username = await freeName(record.username, record.address);
      try {
        return await insert(record, issuer, username, context);
      } catch (error) {
        if (attempt === attempts || !isAuthError(error, "owner_slug_taken")) throw error;
      }
    }
  };
}
