import type { CallContext } from "../../core/platform.ts";
import type { ImportProgress, Transfers } from "../../core/transfer/index.ts";
import type { ImportedUser } from "../../core/users/index.ts";
import { BadRecord, userOf } from "./columns.ts";
import { ProgressBar, type ProgressOutput } from "./progress-bar.ts";
import { type ReadRecord, readRecords, type TransferFormat } from "./records.ts";
import { type Refusal, RefusalFile } from "./refusals.ts";
import { identifySource } from "./source.ts";

export interface ImportFileOptions {
  readonly path: string;
  readonly format: TransferFormat;
  readonly batchSize: number;
  readonly refusals: string;
  /** Begins at the start of the file, whatever was imported of it before. */
  readonly restart: boolean;
  readonly output: ProgressOutput;
}

/** A record with its number in the file. */
interface Numbered {
  readonly number: number;
  readonly user: ImportedUser;
}

interface Batch {
  readonly users: Numbered[];
  readonly bad: Refusal[];
  /** Records taken in so far, those of this batch included. */
  position: number;
}

function sort(batch: Batch, { record, problem }: ReadRecord): void {
  const number = ++batch.position;
  try {
    if (record === undefined) throw new BadRecord(problem);
    batch.users.push({ number, user: userOf(record) });
  } catch (error) {
    if (!(error instanceof BadRecord)) throw error;
    batch.bad.push({ record: number, username: "", status: "rejected", reason: error.message });
  }
}

/**
 * Imports a file, continuing where an earlier run over the same content stopped. Each batch is one transaction, progress included; the next is
 * read while the database writes the last.
 */
export async function importFile(
  transfers: Transfers,
  options: ImportFileOptions,
  context: CallContext,
): Promise<ImportProgress> {
  const source = await identifySource(options.path);
  const stored = await transfers.progress(source.id);
  const begin: ImportProgress =
    stored === undefined || options.restart
      ? { run: (stored?.run ?? 0) + 1, position: 0, inserted: 0, skipped: 0, rejected: 0, reportBytes: 0 }
      : stored;
  const list = await RefusalFile.open(options.refusals, begin.reportBytes);
  const bar = new ProgressBar(options.output, source.bytes, "records");
  let bytes = 0;
  let before = stored;
  let progress = begin;

  const commit = async ({ users, bad, position }: Batch): Promise<void> => {
    const base = progress;
    const next = await transfers.importBatch(
      source.id,
      users.map(({ user }) => user),
      before,
      async (report) => {
        const refused = report.results
          .filter(({ status }) => status !== "inserted")
          .map(({ index, status, reason }): Refusal => {
            const { number, user } = users[index] ?? { number: 0, user: undefined };
            return { record: number, username: user?.username ?? "", status, reason };
          });
        const all = [...bad, ...refused].sort((a, b) => a.record - b.record);
        return {
          run: base.run,
          position,
          inserted: base.inserted + report.inserted,
          skipped: base.skipped + report.skipped,
          rejected: base.rejected + report.rejected + bad.length,
          reportBytes: await list.append(all),
        };
      },
      context,
    );
    list.commit(next.reportBytes);
    before = next;
    progress = next;
    bar.update(bytes, next.position - begin.position);
  };

  try {
    let batch: Batch = { users: [], bad: [], position: begin.position };
    let writing: Promise<void> = Promise.resolve();
    let skip = begin.position;
    for await (const record of readRecords(options.path, options.format, (read) => {
      bytes += read;
    })) {
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      sort(batch, record);
      if (batch.users.length + batch.bad.length < options.batchSize) continue;
      const full = batch;
      batch = { users: [], bad: [], position: full.position };
      await writing;
      writing = commit(full);
      // Met at the next `await`; until then it must not count as a failure nobody waits for.
      writing.catch(() => undefined);
    }
    await writing;
    if (batch.users.length + batch.bad.length > 0) await commit(batch);
    bar.end(bytes, progress.position - begin.position);
    return progress;
  } finally {
    await list.close();
  }
}
