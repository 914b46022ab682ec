import type { HandlerFactory } from "./index.ts";

/** What this deployment can do: entitlements. */
export const deploymentHandlers: HandlerFactory = (_core, config) => ({
  listEntitlements: async () => config.development.staticEntitlements ?? null,
});
