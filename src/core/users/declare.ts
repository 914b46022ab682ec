import { isDeepStrictEqual } from "node:util";
import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation } from "../../platform/postgres/port.ts";
import { announce } from "../sessions/index.ts";
import type { UserCapability } from "./capability.ts";
import { mappingConflicts } from "./conflicts.ts";
import { declareStore } from "./declare-store.ts";
import { parseImportedUser } from "./import-row.ts";
import { type ImportRow, importStore } from "./import-store.ts";
import type { DeclaredUser, DeclaredUsers } from "./operations.ts";
import { userStore } from "./store.ts";
import type { UserRow } from "./types.ts";

const comparedMembers = [
  "username",
  "email",
  "phoneNumber",
  "emailVerified",
  "phoneVerified",
  "bannedAt",
  "bannedUntil",
  "banReason",
  "bannedBy",
  "metadata",
] as const;

/**
 * The account as the declaration wants it. Blank contacts keep the stored ones; a proof of a contact is never taken back; an account is
 * banned by a declaration, never freed by one, because a declaration that says nothing of bans cannot be told from one that says "no".
 */
function reconciled(stored: UserRow, row: ImportRow, declared: DeclaredUser): UserRow {
  const email = row.email ?? stored.email;
  const phoneNumber = row.phoneNumber ?? stored.phoneNumber;
  const sameEmail = email === stored.email;
  const samePhone = phoneNumber === stored.phoneNumber;
  const bans = declared.bannedAt !== null;
  return {
    ...stored,
    username: row.username,
    email,
    phoneNumber,
    emailVerified: row.emailVerified || (stored.emailVerified && sameEmail),
    phoneVerified: row.phoneVerified || (stored.phoneVerified && samePhone),
    bannedAt: bans ? row.bannedAt : stored.bannedAt,
    bannedUntil: bans ? row.bannedUntil : stored.bannedUntil,
    banReason: bans ? row.banReason : stored.banReason,
    bannedBy: bans ? row.bannedBy : stored.bannedBy,
    metadata: { ...stored.metadata, ...declared.metadata },
  };
}

/** Accounts that have to be there, as a manifest declares them. */
export function createDeclaredUsers(capability: UserCapability): DeclaredUsers {
  const { clock, random, audit, sessions, feed, log } = capability;

  return {
    async declare(declared, context, tx) {
      const now = clock.now();
      const row = parseImportedUser(
        { ...declared, createdAt: null, updatedAt: null, passwordHash: null, hashAlgo: "", hashParams: null },
        random.uuid(),
        now,
      );
      const stored = await declareStore.find(tx, row.username, row.email, row.phoneNumber);
      try {
        return await mappingConflicts(async () => {
          if (stored === undefined) {
            const landed = await importStore.insert(tx, [row]);
            // Looked up a moment ago under every name it has: somebody else was faster.
            if (!landed.has(row.id)) throw new AuthError("owner_slug_taken");
            const user = await userStore.lock(tx, row.id);
            if (user === undefined) throw new Error("the account just inserted is not there");
            await audit.record(
              {
                action: "user.created",
                target: `user:${user.id}`,
                outcome: "ok",
                details: { declared: true },
              },
              context,
              tx,
            );
            return { user, created: true, changed: [] };
          }

          const wanted = reconciled(stored, row, declared);
          const changed = comparedMembers.filter(
            (member) => !isDeepStrictEqual(wanted[member], stored[member]),
          );
          if (changed.length === 0) return { user: stored, created: false, changed };
          const user = await declareStore.update(tx, wanted, now);
          if (user === undefined) throw new Error("the locked account is not there");
          const banned = user.bannedAt !== null && changed.includes("bannedAt");
          if (banned) {
            await sessions.all(user.id, "banned", { tx });
            tx.afterCommit(() => announce(log, [() => feed.revokeUser(user.id)]));
          }
          const details = { declared: true, changed };
          await audit.record(
            { action: "user.updated", target: `user:${user.id}`, outcome: "ok", details },
            context,
            tx,
          );
          return { user, created: false, changed };
        });
      } catch (error) {
        if (error instanceof ConstraintViolation && error.kind === "foreign_key")
          throw new AuthError("invalid_banned_by", { cause: error });
        throw error;
      }
    },
  };
}
