import type { CallContext } from "../platform.ts";
import type { UserRow, Users } from "../users/types.ts";
import type { ContactMessages } from "../verification/index.ts";

/** What the owner of an account hears of its doors, whoever opened or closed them. None of it ever fails what it is about. */
export interface IdentityNotices {
  linked(userId: string, context: CallContext): Promise<void>;
  unlinked(userId: string, context: CallContext): Promise<void>;
  /** To an account that a provider's identity has made, if it has an address. */
  welcome(user: UserRow, context: CallContext): Promise<void>;
}

export function createIdentityNotices(parts: {
  readonly users: Pick<Users, "byId">;
  readonly messages: Pick<ContactMessages, "notify">;
}): IdentityNotices {
  const { users, messages } = parts;

  async function tell(
    kind: "notice_provider_linked" | "notice_provider_unlinked",
    userId: string,
    context: CallContext,
  ): Promise<void> {
    const owner = await users.byId(userId);
    const address = owner?.email ?? owner?.phoneNumber ?? undefined;
    if (owner === undefined || address === undefined) return;
    const channel = owner.email === null ? "phone" : "email";
    const language = owner.preferredLanguage ?? context.language;
    await messages.notify(kind, channel, { address, language, username: owner.username });
  }

  return {
    linked: (userId, context) => tell("notice_provider_linked", userId, context),
    unlinked: (userId, context) => tell("notice_provider_unlinked", userId, context),
    async welcome({ email, preferredLanguage, username }, context) {
      if (email === null) return;
      const language = preferredLanguage ?? context.language;
      await messages.notify("welcome", "email", { address: email, language, username });
    },
  };
}
