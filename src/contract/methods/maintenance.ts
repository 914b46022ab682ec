import { everyGeneration, nothing } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Maintenance. */
export const maintenanceMethods = {
  cleanupExpiredAuthState: method({
    name: "CleanupExpiredAuthState",
    topic: "Maintenance",
    generations: everyGeneration,
    args: {},
    result: nothing,
    mutates: { kind: "state" },
  }),
  validateVerificationConfiguration: method({
    name: "ValidateVerificationConfiguration",
    topic: "Maintenance",
    generations: everyGeneration,
    args: {},
    result: nothing,
    errors: [
      'authkit: registration verification policy is "required" but no email or SMS sender is configured',
    ],
  }),
};
