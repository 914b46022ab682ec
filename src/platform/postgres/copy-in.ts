import type { Duplex } from "node:stream";
import pg from "pg";

/** The part of the driver's connection that COPY needs. */
interface CopyConnection {
  readonly stream: Duplex;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

type Lines = Iterable<string> | AsyncIterable<string>;

const chunkBytes = 64 * 1024;

/** A `COPY … FROM STDIN` as the driver's query, feeding text lines at the pace of the server. */
export class CopyIn extends pg.Query {
  readonly #lines: Lines;
  /** Why the source gave up; the server's answer then only repeats it. */
  #sourceFailure: { readonly error: unknown } | undefined;
  #ended = false;

  private constructor(text: string, lines: Lines, settle: (error: unknown, rows: number) => void) {
    super({ text }, (error, result) => {
      this.#ended = true;
      if (this.#sourceFailure !== undefined) settle(this.#sourceFailure.error, 0);
      else settle(error ?? undefined, result?.rowCount ?? 0);
    });
    this.#lines = lines;
  }

  /** Sends all lines; each gets its line end when it has none. Resolves with the number of rows the server took. */
  static run(client: pg.Client, text: string, lines: Lines): Promise<number> {
    return new Promise((done, fail) => {
      client.query(
        new CopyIn(text, lines, (error, rows) => {
          if (error === undefined) done(rows);
          else fail(error);
        }),
      );
    });
  }

  /** Called by the driver when the server is ready for data. */
  handleCopyInResponse(connection: CopyConnection): void {
    this.#feed(connection).then(
      () => {
        if (!this.#ended) connection.endCopyFrom();
      },
      (error: unknown) => {
        this.#sourceFailure = { error };
        if (!this.#ended) connection.sendCopyFail("the source failed");
      },
    );
  }

  async #feed(connection: CopyConnection): Promise<void> {
    let pending: string[] = [];
    let size = 0;
    const flush = async () => {
      connection.sendCopyFromChunk(Buffer.from(pending.join("")));
      pending = [];
      size = 0;
      if (connection.stream.writableNeedDrain) await drained(connection.stream);
    };
    for await (const line of this.#lines) {
      if (this.#ended) return;
      pending.push(line.endsWith("\n") ? line : `${line}\n`);
      size += line.length + 1;
      if (size >= chunkBytes) await flush();
    }
    if (pending.length > 0 && !this.#ended) await flush();
  }
}

function drained(stream: Duplex): Promise<void> {
  return new Promise((done) => {
    const settle = () => {
      stream.removeListener("drain", settle);
      stream.removeListener("close", settle);
      done();
    };
    stream.once("drain", settle);
    stream.once("close", settle);
  });
}
