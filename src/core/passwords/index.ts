import { resetRequired } from "../../platform/hashing/formats/index.ts";
import type { StoredHash } from "../../platform/hashing/port.ts";
import type { BreachedPasswords } from "../breached-passwords/types.ts";
import type { Platform } from "../platform.ts";
import { createPasswordJudge, createPasswordPolicy } from "./policy.ts";
import { passwordStore } from "./store.ts";
import type { Passwords } from "./types.ts";

export { createPasswordChanges } from "./changes.ts";
export { createOwnPassword, type OwnPassword } from "./own-change.ts";
export type { ChangeProof, PasswordChanges, PasswordCheck, PasswordOwner, Passwords } from "./types.ts";

/** What stored passwords need of the outside world. */
export type PasswordPlatform = Pick<Platform, "config" | "database" | "hasher" | "clock" | "log">;

/** Stored passwords; `breached` is consulted where `passwords.breachedCheck` is on. */
export function createPasswords(platform: PasswordPlatform, breached?: BreachedPasswords): Passwords {
  const { config, database, hasher, clock, log } = platform;
  const policy = createPasswordPolicy(config.passwords, breached);

  /** Best effort: the password was right, and the next login tries again. */
  async function renew(userId: string, seen: StoredHash, password: string): Promise<void> {
    try {
      await passwordStore.renew(database, userId, seen, await hasher.hash(password));
    } catch (error) {
      log.warn({ err: error, user_id: userId }, "a weaker password hash could not be renewed");
    }
  }

  return {
    assertAcceptable: policy,

    judge: createPasswordJudge(config.passwords, breached, policy),

    hash: (password, context) => hasher.hash(password, context.signal),

    stored: (identifier) => passwordStore.of(database, identifier),

    async verify(userId, password, context, given) {
      const stored = given?.userId === userId ? given : await passwordStore.read(database, userId);
      if (stored === undefined || stored.algorithm === resetRequired) {
        await hasher.verifyDummy(password, context.signal);
        return stored === undefined ? "absent" : "reset_required";
      }
      const { match, rehash } = await hasher.verify(stored, password, context.signal);
      if (match && rehash) await renew(userId, stored, password);
      return match ? "match" : "mismatch";
    },

    verifyNobody: (password, context) => hasher.verifyDummy(password, context.signal),

    exists: (userId) => passwordStore.exists(database, userId),

    store: (userId, phc, tx) =>
      passwordStore.put(
        tx ?? database,
        userId,
        { hash: phc, algorithm: "argon2id", params: null },
        clock.now(),
      ),
  };
}
