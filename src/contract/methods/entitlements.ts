import { everyGeneration, field, list, nullable, string } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Entitlements. */
export const entitlementsMethods = {
  listEntitlements: method({
    name: "ListEntitlements",
    topic: "Entitlements",
    generations: everyGeneration,
    args: { userId: field("userID", string) },
    result: nullable(list(string)),
    canFail: false,
    note: "Never fails; null when no entitlements source is configured.",
  }),
};
