import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/index.ts";
import { isStorable } from "../identifiers/index.ts";
import type { Identities } from "../identities/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserAvailability } from "../users/operations.ts";
import type { UserRow, Users } from "../users/types.ts";
import { hashToken } from "../verification/secrets.ts";
import { type ExternalIdentity, legacySubject } from "./mapping.ts";
import type { Provider } from "./provider.ts";

/** Names tried when others take them at the same moment, and rounds after lost races. */
const attempts = 4;

export interface ResolutionParts {
  readonly users: Pick<Users, "byId" | "byEmail" | "create"> & UserAvailability;
  readonly identities: Identities;
  readonly audit: Audit;
  readonly consumeInvite: (tx: Transaction, inviteHash: string, userId: string, at: Date) => Promise<unknown>;
}

/** The account of an identity. */
export interface Resolved {
  readonly user: UserRow;
  /** It has just been made. */
  readonly created: boolean;
  /** Address to show: the one the provider tells now, or told when the identity was linked; blank without any. */
  readonly email: string;
}

/** Whom an external identity signs in. */
export interface AccountResolution {
  /** The account linked to the identity, or a new one. Throws `account_exists_link_required`, `registration_disabled`, `user_creation_failed`. */
  signIn(
    provider: Provider,
    identity: ExternalIdentity,
    inviteToken: string,
    context: CallContext,
  ): Promise<Resolved>;
  /** Links the identity to the account. Throws `provider_already_linked`, `provider_link_failed`, `unauthorized`. */
  link(
    provider: Provider,
    identity: ExternalIdentity,
    userId: string,
    context: CallContext,
  ): Promise<Resolved>;
  /** Id of the account the identity is linked to. */
  ownerOf(provider: Provider, identity: ExternalIdentity): Promise<string | undefined>;
}

export function createAccountResolution(
  platform: Pick<Platform, "config" | "database" | "clock">,
  parts: ResolutionParts,
): AccountResolution {
  const { config, database, clock } = platform;
  const { users, identities, audit, consumeInvite } = parts;
  const { mode } = config.registration;

  /** The link, by the subject as it is or as earlier servers printed it; then it is brought into its proper form. */
  async function linked(provider: Provider, { subject }: ExternalIdentity) {
    const found = await identities.find(provider.issuer, subject);
    const legacy = provider.kind === "oauth2" ? legacySubject(subject) : undefined;
    if (found !== undefined || legacy === undefined) return found;
    const old = await identities.find(provider.issuer, legacy);
    if (old !== undefined && config.federation.legacySubjects === "rewrite")
      await identities.setSubject(old, subject);
    return old;
  }

  const profileOf = (identity: ExternalIdentity) =>
    identity.preferredUsername === "" ? undefined : { username: identity.preferredUsername };

  const newLink = (provider: Provider, identity: ExternalIdentity, userId: string) => ({
    userId,
    issuer: provider.issuer,
    provider: provider.id,
    subject: identity.subject,
    email: identity.email === "" ? null : identity.email,
    profile: profileOf(identity),
  });

  const username = (provider: Provider, identity: ExternalIdentity): Promise<string> =>
    users.freeUsername({
      preferred: identity.preferredUsername,
      email: identity.email,
      displayName: identity.displayName,
      provider: provider.id,
    });

  function insert(
    provider: Provider,
    identity: ExternalIdentity,
    name: string,
    inviteHash: string | undefined,
    context: CallContext,
  ): Promise<UserRow> {
    return database.transaction(async (tx) => {
      // An address the provider does not vouch for would keep its true owner from ever registering it.
      const wanted = identity.emailVerified || config.federation.unverifiedEmail === "store";
      const email =
        wanted && identity.email !== "" && isStorable(identity.email) ? identity.email.toLowerCase() : null;
      const user = await users.create(
        {
          email,
          phoneNumber: null,
          username: name,
          emailVerified: email !== null && identity.emailVerified,
          phoneVerified: false,
          preferredLanguage: context.language,
          passwordHash: null,
        },
        tx,
      );
      if (mode !== "open") {
        const invite =
          inviteHash === undefined ? undefined : await consumeInvite(tx, inviteHash, user.id, clock.now());
        if (invite === undefined) throw new AuthError("registration_disabled");
      }
      const details = { channel: provider.id, issuer: provider.issuer, subject: identity.subject };
      await audit.record(
        { action: "user.created", target: `user:${user.id}`, outcome: "ok", details },
        context,
        tx,
      );
      await identities.link(newLink(provider, identity, user.id), context, tx);
      return user;
    });
  }

  async function owner(userId: string): Promise<UserRow> {
    const user = await users.byId(userId);
    if (user === undefined) throw new AuthError("user_banned");
    return user;
  }

  return {
    async signIn(provider, identity, inviteToken, context) {
      const inviteHash = inviteToken === "" ? undefined : hashToken(inviteToken);
      for (let attempt = 1; ; attempt++) {
        const link = await linked(provider, identity);
        if (link !== undefined) {
          const profile = profileOf(identity);
          if (profile !== undefined && link.profile?.["username"] !== profile.username)
            await identities.setProfile(link, { ...link.profile, ...profile });
          const told = provider.kind === "oidc" ? (link.email ?? "") : "";
          return { user: await owner(link.userId), created: false, email: identity.email || told };
        }
        if (identity.email !== "" && isStorable(identity.email)) {
          // Never linked by address, even when both sides have verified it: whoever controls the provider would control the account.
          if ((await users.byEmail(identity.email.toLowerCase())) !== undefined)
            throw new AuthError("account_exists_link_required");
        }
        if (
          mode === "closed" ||
          (mode === "invite_only" && (inviteHash === undefined || identity.email === ""))
        )
          throw new AuthError("registration_disabled");
        try {
          const name = await username(provider, identity);
          const user = await insert(provider, identity, name, inviteHash, context);
          return { user, created: true, email: identity.email };
        } catch (cause) {
          if (isAuthError(cause, "registration_disabled") || isAuthError(cause, "service_unavailable"))
            throw cause;
          const lostRace = ["provider_already_linked", "email_in_use", "owner_slug_taken"].some(
            (code) => isAuthError(cause) && cause.code === code,
          );
          // Somebody was first: with the identity, the address or the name. Look again.
          if (!lostRace || attempt === attempts) throw new AuthError("user_creation_failed", { cause });
        }
      }
    },

    async link(provider, identity, userId, context) {
      try {
        await identities.link(newLink(provider, identity, userId), context);
      } catch (cause) {
        if (isAuthError(cause, "provider_already_linked") || isAuthError(cause, "service_unavailable"))
          throw cause;
        throw new AuthError("provider_link_failed", { cause });
      }
      return { user: await owner(userId), created: false, email: identity.email };
    },

    async ownerOf(provider, identity) {
      return (await linked(provider, identity))?.userId;
    },
  };
}
