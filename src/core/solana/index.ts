import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Identities, Identity } from "../identities/index.ts";
import { recordRefusedLogin } from "../login/refused.ts";
import type { LoginCompletion } from "../login/types.ts";
import type { Notices } from "../notices/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { SensitiveGate } from "../step-up/sensitive.ts";
import type { UserOperations } from "../users/index.ts";
import type { UserRow } from "../users/types.ts";
import { type ChallengeRecord, createChallenges } from "./challenges.ts";
import { createWalletNames } from "./names.ts";
import { createWalletAccounts, type NewAccountParts } from "./new-account.ts";
import type { WalletOutput } from "./signed-output.ts";
import type { Solana, WalletLogin } from "./types.ts";
import { verifyOutput } from "./verify.ts";

export type { WalletOutput } from "./signed-output.ts";
export type { Challenge, ChallengeRequest, NameMembers, Solana, WalletLogin } from "./types.ts";

/** Name under which wallets are shown and unlinked. */
const provider = "solana";

export interface SolanaParts extends NewAccountParts {
  readonly users: UserOperations;
  readonly identities: Identities;
  readonly completion: LoginCompletion;
  readonly gate: Pick<SensitiveGate, "require">;
  readonly notices: Notices;
}

/** Sign-in with a Solana wallet: challenges, their answers, and links between accounts and wallets. */
export function createSolana(
  platform: Pick<Platform, "config" | "database" | "ephemeral" | "clock" | "random" | "outbound" | "log">,
  parts: SolanaParts,
): Solana {
  const { config, clock } = platform;
  const { users, identities, completion, gate, notices, audit } = parts;
  const challenges = createChallenges(platform);
  const names = createWalletNames(platform, identities);
  const createAccount = createWalletAccounts(platform, parts);
  const issuer = `solana:${config.solana.network}`;
  const verifying = { challenges, clock };

  async function ownerOf(address: string): Promise<UserRow | undefined> {
    const identity = await identities.find(issuer, address);
    return identity === undefined ? undefined : users.byId(identity.userId);
  }

  function refreshName({ id, userId, subject, profile }: Identity): void {
    names.refresh({ id, userId, address: subject, profile: profile ?? {} });
  }

  /** The wallet's account; of two requests for a new wallet one makes it, and the other finds it. */
  async function admit(record: ChallengeRecord, context: CallContext) {
    const owner = await ownerOf(record.address);
    if (owner !== undefined) return { user: owner, created: false };
    try {
      return { user: await createAccount(record, issuer, context), created: true };
    } catch (error) {
      if (!isAuthError(error, "provider_already_linked")) throw error;
      const first = await ownerOf(record.address);
      if (first === undefined) throw error;
      return { user: first, created: false };
    }
  }

  /** `whose` tells of a sign-in that fails whose account it was for. */
  async function signIn(
    output: WalletOutput,
    whose: { userId: string },
    context: CallContext,
  ): Promise<WalletLogin> {
    const record = await verifyOutput(output, "login", verifying);
    if (record.linkTo !== undefined) throw new AuthError("authentication_failed");
    const { user, created } = await admit(record, context);
    whose.userId = user.id;
    const { address } = record;
    const outcome = await completion.complete(
      user,
      {
        methods: ["swk"],
        origin: "solana_login",
        // Possession of the wallet is what this login rests on; contacts of the account play no part in it.
        skipVerification: true,
        extraClaims: { provider, solana_address: address },
      },
      context,
    );
    if (created && config.solana.nameService.enabled) {
      const identity = await identities.find(issuer, address);
      if (identity !== undefined) refreshName(identity);
    }
    return { outcome, created, userId: user.id, address };
  }

  return {
    challenge: (request) => challenges.issue(request),

    async login(output, context) {
      const whose = { userId: "" };
      try {
        return await signIn(output, whose, context);
      } catch (error) {
        await recordRefusedLogin(audit, { ...whose, method: "solana_login" }, error, context);
        throw error;
      }
    },

    async link(user, output, context) {
      if (config.federation.linkRequiresStepUp) await gate.require(user, undefined, context);
      const { address, linkTo } = await verifyOutput(output, "link", verifying);
      if (linkTo !== undefined && linkTo !== user.userId) throw new AuthError("authentication_failed");
      const present = await identities.find(issuer, address);
      if (present?.userId === user.userId) return address;
      if (present !== undefined) throw new AuthError("wallet_already_linked");
      try {
        const { identity } = await identities.link(
          { userId: user.userId, issuer, provider, subject: address, email: null },
          context,
        );
        refreshName(identity);
        await notices.tell("notice_provider_linked", user.userId, context);
      } catch (error) {
        if (isAuthError(error, "provider_already_linked")) throw new AuthError("wallet_already_linked");
        throw error;
      }
      return address;
    },

    nameMembers: names.members,
  };
}
