import type { Audit } from "../audit/index.ts";
import type { Platform } from "../platform.ts";
import type { RevocationFeed, SessionRevocation } from "../sessions/index.ts";

/** What the operations on accounts work with. */
export interface UserCapability extends Pick<Platform, "config" | "database" | "clock" | "random" | "log"> {
  readonly audit: Audit;
  readonly sessions: SessionRevocation;
  readonly feed: RevocationFeed;
}
