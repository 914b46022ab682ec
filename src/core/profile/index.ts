import type { Platform } from "../platform.ts";
import { type ProfileRow, profileOf } from "./store.ts";

export type { ProfileRow } from "./store.ts";

/** Read side of `/me`. */
export interface Profiles {
  /** Undefined when the account is gone. */
  read(userId: string): Promise<ProfileRow | undefined>;
}

export function createProfiles(platform: Pick<Platform, "database">): Profiles {
  return { read: (userId) => platform.database.row<ProfileRow>(profileOf, [userId]) };
}
