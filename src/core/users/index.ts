import { validateStored } from "../../platform/hashing/formats/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Platform } from "../platform.ts";
import { createSessionRevocation, type RevocationFeed } from "../sessions/index.ts";
import type { UserCapability } from "./capability.ts";
import { createContacts } from "./contacts.ts";
import { createDeclaredUsers } from "./declare.ts";
import { createDeletion } from "./deletion.ts";
import { createDirectory } from "./directory.ts";
import { createImports } from "./import.ts";
import { createLookup } from "./lookup.ts";
import { createModeration } from "./moderation.ts";
import type { UserOperations } from "./operations.ts";
import { createProfiles } from "./profile.ts";
import { createRecovery } from "./recovery.ts";
import { createRenaming } from "./rename.ts";

export { type AccessDecision, type AccessState, decideAccess } from "./access.ts";
export { isReserved } from "./lookup.ts";
export type {
  AdminUser,
  Ban,
  BatchOutcome,
  DeclaredOutcome,
  DeclaredUser,
  ImportedUser,
  ImportReport,
  ImportResult,
  OwnerGuard,
  RecoveryContact,
  RenameAvailability,
  TakenIdentifiers,
  UserListOptions,
  UserOperations,
  UserPage,
} from "./operations.ts";
export { renameAvailability, renameCooldownSeconds } from "./rename.ts";
export type { NewUser, UserRow, Users } from "./types.ts";

/** Accounts. Each group of operations is a file of its own; here they are put together. */
export function createUsers(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "log">,
  feed: RevocationFeed,
  audit: Audit,
): UserOperations {
  const { config, database, clock, random, log } = platform;
  const sessions = createSessionRevocation(platform, feed);
  const capability: UserCapability = { config, database, clock, random, log, audit, sessions, feed };
  return {
    ...createLookup(capability),
    ...createDirectory(capability),
    ...createModeration(capability),
    ...createDeletion(capability),
    ...createRenaming(capability),
    ...createProfiles(capability),
    ...createContacts(capability),
    ...createRecovery(capability),
    ...createImports(capability, validateStored),
    ...createDeclaredUsers(capability),
  };
}
