import type { Log } from "../../platform/log/port.ts";

/** Where ended access is made known to every node, so that access tokens die before they expire. */
export interface RevocationFeed {
  /** Tokens of the user are refused from now on. */
  revokeUser(userId: string): Promise<void> | void;
  /** Tokens of the user are accepted again. */
  readmitUser(userId: string): Promise<void> | void;
  /** Tokens carrying this session are refused from now on. */
  revokeSession(sessionId: string): Promise<void> | void;
}

/**
 * Publishes after a commit. A failure is logged and goes no further: the database already has the truth, and every node compares
 * itself with it whenever the feed was interrupted.
 */
export async function announce(
  log: Log,
  publications: readonly (() => Promise<void> | void)[],
): Promise<void> {
  const results = await Promise.allSettled(publications.map(async (publish) => publish()));
  for (const result of results)
    if (result.status === "rejected")
      log.error({ err: result.reason }, "a revocation could not be published");
}
