import { type FileHandle, open } from "node:fs/promises";

/** One record that did not become an account. */
export interface Refusal {
  /** Number of the record in the file, from 1. */
  readonly record: number;
  readonly username: string;
  readonly status: string;
  readonly reason: string;
}

/**
 * The list of refused records, one JSON object a line. It is on the disk before the batch is committed, and cut back to what was committed when
 * an import continues: nothing is missing in it and nothing is there twice.
 */
export class RefusalFile {
  readonly #file: FileHandle;
  #bytes: number;

  private constructor(file: FileHandle, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Opens the file; `bytes` of it are known to belong to committed batches. */
  static async open(path: string, bytes: number): Promise<RefusalFile> {
    const file = await open(path, bytes > 0 ? "r+" : "w", 0o600);
    const { size } = await file.stat();
    if (size < bytes) {
      await file.close();
      throw new Error(
        `${path} is shorter than when the import stopped; restore it, or begin anew with --restart`,
      );
    }
    await file.truncate(bytes);
    return new RefusalFile(file, bytes);
  }

  /** Length after the lines were written through to the disk. */
  async append(refusals: readonly Refusal[]): Promise<number> {
    if (refusals.length === 0) return this.#bytes;
    const lines = Buffer.from(refusals.map((refusal) => `${JSON.stringify(refusal)}\n`).join(""));
    // At the committed length, not the end: a batch that failed after writing its lines is written over.
    await this.#file.write(lines, 0, lines.length, this.#bytes);
    await this.#file.datasync();
    return this.#bytes + lines.length;
  }

  /** The batch whose lines ended at `bytes` is committed. */
  commit(bytes: number): void {
    this.#bytes = bytes;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
