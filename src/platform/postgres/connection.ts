import type pg from "pg";
import type { DsnHost } from "../../config/dsn.ts";
import { type BackendKey, requestCancel } from "./cancel.ts";
import { CopyIn } from "./copy-in.ts";
import type { TlsOptions } from "./encryption.ts";
import { PreparedQuery, type RowShapes } from "./prepared-query.ts";

/** A rendered statement, ready to be sent. */
export interface PreparedText {
  /** Name under which the server keeps it; undefined = not kept. */
  readonly name: string | undefined;
  readonly text: string;
}

/**
 * One connection. Statements may be sent before earlier ones have answered: they travel together and run in order.
 */
export class Connection {
  /** When the pool is to replace it, milliseconds of `performance.now`. */
  retireAt = Number.POSITIVE_INFINITY;
  /** When it last became idle, on the same clock. */
  idleSince: number = performance.now();
  readonly target: DsnHost;
  readonly tls: TlsOptions;
  readonly #client: pg.Client;
  readonly #shapes: RowShapes = new Map();
  #broken = false;
  #onBroken: (() => void) | undefined;

  constructor(client: pg.Client, target: DsnHost, tls: TlsOptions) {
    this.#client = client;
    this.target = target;
    this.tls = tls;
    const lost = () => {
      if (this.#broken) return;
      this.#broken = true;
      this.#onBroken?.();
    };
    client.on("error", lost);
    client.on("end", lost);
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** Whether the server considers a transaction open. */
  get inTransaction(): boolean {
    return this.#client.getTransactionStatus() !== "I";
  }

  /** Whether the server owes an answer. */
  get awaiting(): boolean {
    return "readyForQuery" in this.#client && this.#client.readyForQuery === false;
  }

  /** Bytes that came from the server so far. */
  get received(): number {
    const { stream } = this.#client.connection;
    return "bytesRead" in stream && typeof stream.bytesRead === "number" ? stream.bytesRead : 0;
  }

  /** The server's id of this session, unless a pooler made one up; undefined when it told none. */
  get processId(): number | undefined {
    return backendKey(this.#client)?.processId;
  }

  /** Tells once when the connection is lost. */
  onBroken(listener: () => void): void {
    this.#onBroken = listener;
  }

  query<R extends object>({ name, text }: PreparedText, values: unknown[]): Promise<pg.QueryResult<R>> {
    if (name === undefined) return this.#client.query<R>({ text, values });
    return new Promise((resolve, reject) => {
      const settle = (error: Error | undefined, result: pg.ResultBuilder<R>): void =>
        error ? reject(error) : resolve(result);
      this.#client.query(new PreparedQuery<R>({ name, text }, values, this.#shapes, settle));
    });
  }

  /** Statements that `work` sends leave in one write. */
  together(work: () => void): void {
    const { stream } = this.#client.connection;
    stream.cork();
    try {
      work();
    } finally {
      stream.uncork();
    }
  }

  /** Runs a command text without values; several commands may be separated by semicolons. */
  command(text: string): Promise<pg.QueryResult<pg.QueryResultRow>> {
    return this.#client.query(text);
  }

  /** Sends `lines` to a `COPY … FROM STDIN`; resolves with the number of rows. */
  copyIn(text: string, lines: Iterable<string> | AsyncIterable<string>): Promise<number> {
    return CopyIn.run(this.#client, text, lines);
  }

  /** Asks the server to cancel what runs now; resolves when it has been told. */
  async cancel(): Promise<void> {
    const key = backendKey(this.#client);
    if (key !== undefined && !this.#broken) await requestCancel(this.target, this.tls, key);
  }

  /** Says good-bye. */
  async end(): Promise<void> {
    await this.#client.end();
  }

  /** Cuts the connection at once; statements in flight reject. */
  destroy(): void {
    this.#broken = true;
    this.#client.connection.stream.destroy();
  }
}

function backendKey(client: pg.Client): BackendKey | undefined {
  if (!("processID" in client) || !("secretKey" in client)) return undefined;
  const { processID, secretKey } = client;
  if (typeof processID !== "number" || typeof secretKey !== "number") return undefined;
  return { processId: processID, secret: secretKey };
}
