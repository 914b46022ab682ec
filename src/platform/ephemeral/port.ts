/**
 * Short-lived state shared by all processes and nodes: codes, link tokens, challenges, federation state.
 * Values are JSON texts. Every operation is atomic. Backed by Redis, or by an UNLOGGED PostgreSQL table in development.
 *
 * All operations reject with `AuthError("service_unavailable")` when the backend is unreachable; nothing fails open.
 */
export interface EphemeralStore {
  /** Stores `value` for `ttlSeconds`, replacing what was there. */
  set(key: string, value: string, ttlSeconds: number): Promise<void>;
  /** Stores only when the key is free; false when it was taken. */
  setIfAbsent(key: string, value: string, ttlSeconds: number): Promise<boolean>;
  get(key: string): Promise<string | undefined>;
  /** Reads several keys at once, in their order. */
  getMany(keys: readonly string[]): Promise<(string | undefined)[]>;
  /** Reads and deletes in one step: of many callers exactly one gets the value. */
  take(key: string): Promise<string | undefined>;
  /** Deletes and returns true only when the stored value equals `expected`. */
  compareAndTake(key: string, expected: string): Promise<boolean>;
  /** Replaces the value, keeping the remaining life-time, only when it equals `expected`. */
  compareAndSet(key: string, expected: string, value: string): Promise<boolean>;
  delete(...keys: string[]): Promise<void>;
  /** Adds one and returns the new count; the life-time restarts at `ttlSeconds` with each call. */
  increment(key: string, ttlSeconds: number): Promise<number>;
}
