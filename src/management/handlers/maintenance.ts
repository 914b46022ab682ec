import type { HandlerFactory } from "./index.ts";

/** Upkeep that otherwise runs on a schedule. */
export const maintenanceHandlers: HandlerFactory = ({ cleanup }) => ({
  cleanupExpiredAuthState: async (_, { signal }) => {
    await cleanup({ signal });
  },
});
