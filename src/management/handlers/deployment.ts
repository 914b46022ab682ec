import type { HandlerFactory } from "./index.ts";

/** What this deployment can do: entitlements, invites. */
export const deploymentHandlers: HandlerFactory = (_core, config) => {
  const { mode } = config.registration;
  return {
    listEntitlements: async () => config.development.staticEntitlements ?? null,
    externalInvitesEnabled: async () => mode === "open" || mode === "invite_only",
  };
};
