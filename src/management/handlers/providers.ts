import { parseUserId } from "../../core/identifiers/index.ts";
import type { HandlerFactory } from "./index.ts";

/** Links between accounts and identity providers. */
export const providerHandlers: HandlerFactory = ({ identities }) => ({
  // A user without such a link has no name there, like one whose provider tells none.
  getProviderUsername: async ({ userId, provider }) => {
    const id = parseUserId(userId);
    return (await identities.usernames([id], provider)).get(id) ?? "";
  },
  providerUsernames: async ({ userIds, provider }) =>
    Object.fromEntries(await identities.usernames(userIds, provider)),
  // The earlier method knows no issuers: the provider's name serves as one, and is stored as the name too, so that the link is found again.
  linkProvider: async ({ userId, provider, subject, email }, { callContext }) => {
    await identities.link({ userId, issuer: provider, provider, subject, email }, callContext);
  },
  linkProviderByIssuer: async ({ userId, issuer, providerSlug, subject, email }, { callContext }) => {
    await identities.link({ userId, issuer, provider: providerSlug, subject, email }, callContext);
  },
  unlinkProvider: async ({ userId, provider }, { callContext }) => {
    await identities.unlink(userId, provider, callContext);
  },
});
