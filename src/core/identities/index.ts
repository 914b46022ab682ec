import { AuthError } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/index.ts";
import { isStorable, parseUserId } from "../identifiers/index.ts";
import type { Platform } from "../platform.ts";
import { identityStore } from "./store.ts";
import type { Identities, NewIdentity } from "./types.ts";

export type { Identities, Identity, LinkOutcome, NewIdentity, UnlinkOptions } from "./types.ts";

/** Issuer and subject name an identity for ever, so neither may be blank or unstorable. */
function checked(link: NewIdentity): NewIdentity {
  const texts = [link.issuer, link.subject];
  if (texts.some((text) => text.trim() === "")) throw new AuthError("invalid_request");
  if (![...texts, link.provider ?? "", link.email ?? ""].every(isStorable))
    throw new AuthError("invalid_request");
  return { ...link, userId: parseUserId(link.userId) };
}

/** Links between accounts and identities elsewhere; each change is in the audit trail, in its own transaction. */
export function createIdentities(
  { config, database, clock, random }: Pick<Platform, "config" | "database" | "clock" | "random">,
  audit: Audit,
): Identities {
  const { passwordless, senders } = config;
  /** Contacts to which passwordless sign-in sends a code, once they are verified. */
  const codes = {
    email: passwordless.enabled && senders.mail !== undefined,
    phone: passwordless.enabled && senders.sms !== undefined,
  };
  const within = <T>(tx: Transaction | undefined, work: (on: Transaction) => Promise<T>): Promise<T> =>
    tx === undefined ? database.transaction(work) : work(tx);

  return {
    find: (issuer, subject, on = database) => identityStore.find(on, issuer, subject),
    list: (userId, on = database) => identityStore.list(on, parseUserId(userId)),

    async link(given, context, tx) {
      const link = checked(given);
      return within(tx, async (on) => {
        if (!(await identityStore.lockUser(on, link.userId))) throw new AuthError("user_not_found");
        const [replaced] = await identityStore.removeOtherSubjects(
          on,
          link.userId,
          link.issuer,
          link.subject,
        );
        const stored = await identityStore.upsert(on, random.uuid(), link, clock.now());
        if (stored === undefined) throw new AuthError("provider_already_linked");
        const { created, ...identity } = stored;
        const details = { issuer: link.issuer, provider: identity.provider, subject: link.subject, created };
        await audit.record(
          {
            action: "provider.linked",
            target: `user:${link.userId}`,
            outcome: "ok",
            details: replaced === undefined ? details : { ...details, replacedSubject: replaced },
          },
          context,
          on,
        );
        return { identity, created, replacedSubject: replaced };
      });
    },

    async unlink(userId, provider, context, options = {}, tx) {
      const id = parseUserId(userId);
      if (!isStorable(provider)) throw new AuthError("invalid_request");
      return within(tx, async (on) => {
        // The lock keeps two links from being removed at the same time, each as the one that is not the last.
        await identityStore.lockUser(on, id);
        if (
          options.keepLoginMethod === true &&
          !(await identityStore.hasOtherLoginMethods(on, id, provider, codes))
        )
          throw new AuthError("cannot_unlink_last_login_method");
        const removed = await identityStore.remove(on, id, provider);
        const entries = removed.map(({ issuer, subject }) => ({
          action: "provider.unlinked" as const,
          target: `user:${id}`,
          outcome: "ok",
          details: { issuer, provider, subject },
        }));
        await audit.records(entries, context, on);
        return removed;
      });
    },

    async setProfile(identity, profile, on = database) {
      await identityStore.setProfile(on, identity, profile);
    },

    async setSubject(identity, subject) {
      await identityStore.setSubject(database, identity, subject);
    },

    async usernames(userIds, provider) {
      const ids = [...new Set(userIds.map(parseUserId))];
      if (ids.length === 0 || !isStorable(provider)) return new Map();
      const rows = await identityStore.usernames(database, ids, provider);
      return new Map(rows.flatMap(({ userId, username }) => (username ? [[userId, username]] : [])));
    },
  };
}
