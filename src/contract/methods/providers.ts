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
    note: '"" when the link has no name; no link is an error.',
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
    note: "provider is stored as the issuer; no provider slug is stored.",
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
