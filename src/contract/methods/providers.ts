import { everyGeneration, field, list, map, nothing, nullable, string } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Providers. */
export const providersMethods = {
  getProviderUsername: method({
    name: "GetProviderUsername",
    topic: "Providers",
    generations: ["0.73"],
    args: { userId: field("userID", string), provider: field("provider", string) },
    result: string,
    errors: ["invalid_user"],
    introspection: true,
    note: '"" when the account has no such link, or the link no name.',
  }),
  linkProvider: method({
    name: "LinkProvider",
    topic: "Providers",
    generations: everyGeneration,
    args: {
      userId: field("userID", string),
      provider: field("provider", string),
      subject: field("subject", string),
      email: field("email", nullable(string)),
    },
    result: nothing,
    errors: ["invalid_user", "provider_already_linked", "user_not_found"],
    mutates: { kind: "user", args: ["userId"] },
    note: "provider serves as the issuer too. Another subject of the account at that provider is replaced.",
  }),
  linkProviderByIssuer: method({
    name: "LinkProviderByIssuer",
    topic: "Providers",
    generations: everyGeneration,
    args: {
      userId: field("userID", string),
      issuer: field("issuer", string),
      providerSlug: field("providerSlug", string),
      subject: field("subject", string),
      email: field("email", nullable(string)),
    },
    result: nothing,
    errors: ["invalid_user", "provider_already_linked", "user_not_found"],
    mutates: { kind: "user", args: ["userId"] },
  }),
  providerUsernames: method({
    name: "ProviderUsernames",
    topic: "Providers",
    generations: ["0.97"],
    args: { userIds: field("userIDs", list(string)), provider: field("provider", string) },
    result: map(string),
    errors: ["invalid_user"],
    note: "Users without a stored username are absent from the map.",
  }),
  unlinkProvider: method({
    name: "UnlinkProvider",
    topic: "Providers",
    generations: everyGeneration,
    args: { userId: field("userID", string), provider: field("provider", string) },
    result: nothing,
    errors: ["invalid_user"],
    mutates: { kind: "user", args: ["userId"] },
  }),
};
