export { type PurgeOptions, purgeDeletedUsers } from "./purge.ts";
