export { type PurgeOptions, purgeDeletedUsers } from "./purge.ts";
export { type CleanupOptions, type CleanupReport, cleanExpiredState } from "./state.ts";
