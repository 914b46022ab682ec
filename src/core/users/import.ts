import { setImmediate } from "node:timers/promises";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation, type Queryable, type Transaction } from "../../platform/postgres/port.ts";
import { isUuid } from "../identifiers/index.ts";
import type { CallContext } from "../platform.ts";
import { announce } from "../sessions/index.ts";
import type { UserCapability } from "./capability.ts";
import { mappingConflicts } from "./conflicts.ts";
import { parseImportedUser } from "./import-row.ts";
import { type ImportRow, importStore } from "./import-store.ts";
import type { ImportedUser, ImportReport, ImportResult, UserImports } from "./operations.ts";

const chunkSize = 1000;

/** `ok`, or the reason why a stored hash could never verify here. */
export type HashCheck = (hash: string, algorithm: string, params: unknown) => string;

/** Names claimed by earlier rows of one import. */
class ClaimedNames {
  readonly #names = new Set<string>();

  /** False when one of the row's names is claimed already; then nothing is claimed. */
  claim(row: ImportRow): boolean {
    const names = [`u:${row.username}`];
    if (row.email !== null) names.push(`e:${row.email}`);
    if (row.phoneNumber !== null) names.push(`p:${row.phoneNumber}`);
    if (names.some((name) => this.#names.has(name))) return false;
    for (const name of names) this.#names.add(name);
    return true;
  }
}

type Pending = { readonly index: number; readonly row: ImportRow };

/** Bulk import of accounts from elsewhere. */
export function createImports(capability: UserCapability, checkHash: HashCheck): UserImports {
  const { database, clock, random, audit, sessions, feed, log } = capability;

  function judge({ hash, algorithm, params }: NonNullable<ImportRow["password"]>): string {
    return checkHash(hash, algorithm, params === null ? null : JSON.parse(params));
  }

  /** Accounts that exist of those named as having banned somebody. */
  async function knownBanners(on: Queryable, users: readonly ImportedUser[]): Promise<ReadonlySet<string>> {
    const named = new Set(users.map(({ bannedBy }) => bannedBy?.trim().toLowerCase() ?? "").filter(isUuid));
    return importStore.existing(on, [...named]);
  }

  /** The rows of a chunk that can be written; `results` says of the others why not. A row that is rejected claims no names. */
  function prepare(
    users: readonly ImportedUser[],
    offset: number,
    banners: ReadonlySet<string>,
    claimed: ClaimedNames,
    results: ImportResult[],
  ): Pending[] {
    const now = clock.now();
    const pending: Pending[] = [];
    for (const [place, user] of users.entries()) {
      const index = offset + place;
      try {
        const row = parseImportedUser(user, random.uuid(), now);
        if (row.bannedBy !== null && !banners.has(row.bannedBy)) throw new AuthError("invalid_banned_by");
        const verdict = row.password === undefined ? "ok" : judge(row.password);
        if (verdict !== "ok") results[index] = { index, userId: "", status: "rejected", reason: verdict };
        else if (claimed.claim(row)) pending.push({ index, row });
        else results[index] = { index, userId: "", status: "skipped", reason: "duplicate_in_batch" };
      } catch (error) {
        if (!isAuthError(error)) throw error;
        results[index] = { index, userId: "", status: "rejected", reason: error.code };
      }
    }
    return pending;
  }

  async function insertChunk(
    chunk: readonly Pending[],
    results: ImportResult[],
    context: CallContext,
    on: Transaction | undefined,
  ): Promise<void> {
    if (chunk.length === 0) return;
    const write = async (tx: Transaction): Promise<void> => {
      const rows = chunk.map(({ row }) => row);
      const landed = await importStore.insert(tx, rows);
      const inserted = rows.filter((row) => landed.has(row.id));
      await importStore.insertPasswords(tx, inserted, clock.now());
      const details = { inserted: inserted.length, skipped: chunk.length - inserted.length };
      if (on === undefined)
        await audit.record(
          { action: "user.imported", target: undefined, outcome: "ok", details },
          context,
          tx,
        );
      for (const { index, row } of chunk) {
        results[index] = landed.has(row.id)
          ? { index, userId: row.id, status: "inserted", reason: "" }
          : { index, userId: "", status: "skipped", reason: "already_exists" };
      }
    };
    await (on === undefined ? database.transaction(write) : write(on));
  }

  return {
    async import(users, context, tx): Promise<ImportReport> {
      const results: ImportResult[] = [];
      const banners = await knownBanners(tx ?? database, users);
      const claimed = new ClaimedNames();
      let written: Promise<void> = Promise.resolve();
      for (let start = 0; start < users.length; start += chunkSize) {
        // Checked while the database is busy with the chunk before.
        const pending = prepare(users.slice(start, start + chunkSize), start, banners, claimed, results);
        await written;
        written = insertChunk(pending, results, context, tx);
        // Its failure is met at the next `await`; until then it must not count as one nobody waits for.
        written.catch(() => undefined);
        await setImmediate();
      }
      await written;
      const having = (status: ImportResult["status"]) =>
        results.filter((result) => result.status === status).length;
      return {
        results,
        inserted: having("inserted"),
        skipped: having("skipped"),
        rejected: having("rejected"),
      };
    },

    async updateImported(userId, user, context) {
      const id = userId.trim().toLowerCase();
      if (!isUuid(id)) throw new AuthError("user_not_found");
      // Password members are not looked at here.
      const row = parseImportedUser({ ...user, passwordHash: null }, id, clock.now());
      const banned =
        row.bannedAt !== null || row.bannedUntil !== null || row.banReason !== null || row.bannedBy !== null;
      try {
        return await mappingConflicts(() =>
          database.transaction(async (tx) => {
            const updated = await importStore.update(tx, row, user.createdAt);
            if (updated === undefined) throw new AuthError("user_not_found");
            if (banned) await sessions.all(id, "banned", { tx });
            const details = { imported: true, banned };
            await audit.record(
              { action: "user.updated", target: `user:${id}`, outcome: "ok", details },
              context,
              tx,
            );
            tx.afterCommit(() =>
              announce(log, [() => (banned ? feed.revokeUser(id) : feed.readmitUser(id))]),
            );
            return updated;
          }),
        );
      } catch (error) {
        if (error instanceof ConstraintViolation && error.kind === "foreign_key")
          throw new AuthError("invalid_banned_by", { cause: error });
        throw error;
      }
    },
  };
}
