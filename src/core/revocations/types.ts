/**
 * Whether a valid token may still be used. `user_disabled`: its account is unknown, deleted, banned or reserved; `token_revoked`: its session
 * was ended.
 */
export type Access = "admitted" | "user_disabled" | "token_revoked";

/**
 * Ended access, known to every process at once. Bans, deletions and ended sessions of the last access-token lifetime are held in
 * memory; anything older cannot matter, since no token is that old.
 */
export interface Revocations {
  /** Subscribes and loads. Until it resolves, and whenever the feed is interrupted, every answer comes from PostgreSQL. */
  start(): Promise<void>;
  /**
   * The state behind a token. Synchronous for everybody whom no revocation concerns; otherwise PostgreSQL is asked, at most once a second
   * for each user. Rejects with `service_unavailable` when it cannot be asked.
   */
  access(userId: string, sessionId: string | undefined): Access | Promise<Access>;
  /** Always asks PostgreSQL (or an answer less than a second old): also tells accounts that do not exist. */
  confirm(userId: string, sessionId?: string): Promise<Access>;
  /** Synchronous part of {@link access}: whether anything speaks against the token. */
  isSuspect(userId: string, sessionId: string | undefined): boolean;
  /** Call after the commit. Takes effect here at once; resolves when the message is out. */
  revokeUser(userId: string): Promise<void>;
  /** The user was unbanned or restored: forget what was cached. */
  readmitUser(userId: string): Promise<void>;
  revokeSession(sessionId: string): Promise<void>;
  close(): Promise<void>;
}
