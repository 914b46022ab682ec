import { adminMethods } from "./admin.ts";
import { apiKeysMethods } from "./api-keys.ts";
import { bootstrapMethods } from "./bootstrap.ts";
import { documentsMethods } from "./documents.ts";
import { entitlementsMethods } from "./entitlements.ts";
import { groupsMethods } from "./groups.ts";
import { maintenanceMethods } from "./maintenance.ts";
import type { Method } from "./method.ts";
import { passwordlessMethods } from "./passwordless.ts";
import { passwordsMethods } from "./passwords.ts";
import { providersMethods } from "./providers.ts";
import { remoteApplicationsMethods } from "./remote-applications.ts";
import { rolesMethods } from "./roles.ts";
import { sendersMethods } from "./senders.ts";
import { sessionsMethods } from "./sessions.ts";
import { tokensMethods } from "./tokens.ts";
import { usersMethods } from "./users.ts";

export type { Method, MutationTarget, Topic } from "./method.ts";

/** The whole management API: every method of both generations, by its TypeScript name. */
export const methods = {
  ...apiKeysMethods,
  ...adminMethods,
  ...bootstrapMethods,
  ...documentsMethods,
  ...entitlementsMethods,
  ...groupsMethods,
  ...maintenanceMethods,
  ...passwordlessMethods,
  ...passwordsMethods,
  ...providersMethods,
  ...remoteApplicationsMethods,
  ...rolesMethods,
  ...sendersMethods,
  ...sessionsMethods,
  ...tokensMethods,
  ...usersMethods,
};

export type Methods = typeof methods;
export type MethodKey = keyof Methods;

/** The table as plain rows, for code that treats all methods alike. */
export const methodRows: readonly (readonly [key: MethodKey, method: Method])[] = Object.entries(methods).map(
  ([key, row]) => [key as MethodKey, row],
);
