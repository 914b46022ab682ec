import type { Audit } from "../audit/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { ImportedUser, ImportReport, UserOperations } from "../users/index.ts";
import { type ExportedUser, transferStore } from "./store.ts";

export type { ExportedUser } from "./store.ts";

/** How far an import of one source has come. */
export interface ImportProgress {
  /** Counts the times the source was begun from its start. */
  readonly run: number;
  /** Records dealt with. */
  readonly position: number;
  readonly inserted: number;
  readonly skipped: number;
  readonly rejected: number;
  /** Bytes of the list of refused records that belong to them. */
  readonly reportBytes: number;
}

/** Somebody else has moved the import on. */
export class ImportMovedOn extends Error {
  override readonly name = "ImportMovedOn";
  constructor() {
    super("the same source is being imported by another process");
  }
}

/** Accounts in bulk, out of files and into them. */
export interface Transfers {
  /** Where an earlier run over this source stopped; undefined when there was none. */
  progress(source: string): Promise<ImportProgress | undefined>;
  /**
   * Writes one batch and how far the import has come in one transaction, so that a run cut off at any moment continues exactly where it was.
   * `settle` runs before the commit with what became of the batch, and says what the progress is then.
   *
   * @throws ImportMovedOn when the source's progress is not `before` any more
   */
  importBatch(
    source: string,
    users: readonly ImportedUser[],
    before: ImportProgress | undefined,
    settle: (report: ImportReport) => Promise<ImportProgress>,
    context: CallContext,
  ): Promise<ImportProgress>;
  /** Every account that is not deleted, by id, as of the moment it starts; `write` gets them page by page. */
  exportUsers(write: (page: readonly ExportedUser[]) => Promise<void>, signal?: AbortSignal): Promise<number>;
}

function asProgress(details: Readonly<Record<string, unknown>> | undefined): ImportProgress | undefined {
  if (details === undefined) return undefined;
  const number = (name: keyof ImportProgress): number => {
    const value = details[name];
    return typeof value === "number" ? value : 0;
  };
  return {
    run: number("run"),
    position: number("position"),
    inserted: number("inserted"),
    skipped: number("skipped"),
    rejected: number("rejected"),
    reportBytes: number("reportBytes"),
  };
}

export function createTransfers(
  { database }: Pick<Platform, "database">,
  { users, audit }: { readonly users: Pick<UserOperations, "import">; readonly audit: Audit },
): Transfers {
  const target = (source: string): string => `import:${source}`;

  return {
    async progress(source) {
      return asProgress(await transferStore.lastProgress(database, target(source)));
    },

    importBatch: (source, given, before, settle, context) =>
      database.transaction(
        async (tx) => {
          await transferStore.lock(tx, source);
          const stored = asProgress(await transferStore.lastProgress(tx, target(source)));
          if (stored?.run !== before?.run || stored?.position !== before?.position) throw new ImportMovedOn();
          const progress = await settle(await users.import(given, context, tx));
          // The progress is the audit row: nothing else could be committed with the accounts and be found again.
          await audit.record(
            { action: "user.imported", target: target(source), outcome: "ok", details: { ...progress } },
            context,
            tx,
          );
          return progress;
        },
        { timeoutMs: 0 },
      ),

    exportUsers: (write, signal) =>
      database.transaction(
        async (tx) => {
          await transferStore.openExport(tx);
          for (let count = 0; ; ) {
            signal?.throwIfAborted();
            const page = await transferStore.nextExported(tx);
            if (page.length === 0) return count;
            await write(page);
            count += page.length;
          }
        },
        { isolation: "repeatable read", timeoutMs: 0, signal },
      ),
  };
}
