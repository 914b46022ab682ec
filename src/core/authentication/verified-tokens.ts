import type { KeySet } from "../signing-keys/types.ts";
import type { UserPrincipal } from "./principal.ts";

/** Estimated bytes an entry costs beside its token: principal, claims, table slots. */
const entryOverhead = 1_500;
const defaultCapacity = 16 << 20;

interface Entry {
  readonly principal: UserPrincipal;
  /** Seconds since the epoch. */
  readonly expires: number;
  readonly keys: KeySet;
}

/**
 * User tokens whose signature and claims have been verified, keyed by their text; the least recently used go when memory runs out. An entry is
 * good only while the key set it was verified with is current, and until the token expires.
 */
export interface VerifiedTokens {
  get(token: string, keys: KeySet): Entry | undefined;
  put(token: string, entry: Entry): void;
  delete(token: string): void;
  readonly bytes: number;
}

/** @param capacity bytes, estimated */
export function createVerifiedTokens(capacity = defaultCapacity): VerifiedTokens {
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const cost = (token: string): number => token.length * 2 + entryOverhead;

  function remove(token: string): void {
    if (entries.delete(token)) bytes -= cost(token);
  }

  return {
    get bytes() {
      return bytes;
    },
    get(token, keys) {
      const entry = entries.get(token);
      if (entry === undefined) return undefined;
      if (entry.keys !== keys) {
        remove(token);
        return undefined;
      }
      // Insertion order is age: what is used moves to the young end.
      entries.delete(token);
      entries.set(token, entry);
      return entry;
    },
    put(token, entry) {
      remove(token);
      entries.set(token, entry);
      bytes += cost(token);
      for (const oldest of entries.keys()) {
        if (bytes <= capacity) break;
        remove(oldest);
      }
    },
    delete: remove,
  };
}
