export { type CleanupOptions, type CleanupReport, cleanExpiredState } from "./state.ts";
