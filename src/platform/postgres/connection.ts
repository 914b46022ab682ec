import pg from "pg";
import type { Dsn, DsnHost } from "../../config/dsn.ts";
import { type BackendKey, requestCancel } from "./cancel.ts";
import { CopyIn } from "./copy-in.ts";
import type { TlsOptions } from "./encryption.ts";
import { columnTypes } from "./values.ts";

export interface ConnectOptions {
  readonly dsn: Dsn;
  readonly tls: readonly TlsOptions[];
  readonly applicationName: string;
  /** Per host and way to connect. */
  readonly timeoutMs: number;
}

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
  /** When the pool is to replace it, milliseconds since the epoch. */
  retireAt = Number.POSITIVE_INFINITY;
  /** When it last became idle. */
  idleSince: number = Date.now();
  readonly target: DsnHost;
  readonly tls: TlsOptions;
  readonly #client: pg.Client;
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

  /** Tells once when the connection is lost. */
  onBroken(listener: () => void): void {
    this.#onBroken = listener;
  }

  query<R extends object>(statement: PreparedText, values: unknown[]): Promise<pg.QueryResult<R>> {
    return this.#client.query<R>(
      statement.name === undefined
        ? { text: statement.text, values }
        : { name: statement.name, text: statement.text, values },
    );
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

/**
 * Connects to the first host of the DSN that answers and is of the wanted kind.
 *
 * @throws the last host's error.
 */
export async function openConnection(options: ConnectOptions): Promise<Connection> {
  const { dsn } = options;
  let failure: unknown;
  let fallback: Connection | undefined;
  for (const host of dsn.hosts) {
    for (const tls of host.host.startsWith("/") ? [undefined] : options.tls) {
      try {
        const connection = await openOne(options, host, tls);
        if (await isWanted(connection, dsn)) {
          await fallback?.end();
          return connection;
        }
        if (dsn.targetSession === "prefer-standby" && fallback === undefined) fallback = connection;
        else await connection.end();
        failure = new Error(`The server at ${host.host}:${host.port} is not ${dsn.targetSession}`);
        break;
      } catch (error) {
        failure = error;
        // A server's refusal (wrong password, say) is final for this host, unless it only minds the encryption.
        if (error instanceof pg.DatabaseError && error.code !== "28000") break;
      }
    }
  }
  if (fallback !== undefined) return fallback;
  throw failure;
}

async function openOne(options: ConnectOptions, host: DsnHost, tls: TlsOptions): Promise<Connection> {
  const { dsn } = options;
  const client = new pg.Client({
    host: host.host,
    port: host.port,
    user: dsn.user,
    database: dsn.database,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.timeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    pipeline: true,
    types: columnTypes,
    ssl: tls === undefined ? false : { ...tls },
    ...(dsn.password === undefined ? {} : { password: dsn.password }),
    ...(dsn.options === undefined ? {} : { options: dsn.options }),
  });
  const connection = new Connection(client, host, tls);
  try {
    await client.connect();
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return connection;
}

async function isWanted(connection: Connection, dsn: Dsn): Promise<boolean> {
  if (dsn.targetSession === "any") return true;
  const result = await connection.command(
    "SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS frozen",
  );
  const row: unknown = result.rows[0];
  const standby = typeof row === "object" && row !== null && "standby" in row && row.standby === true;
  const frozen = typeof row === "object" && row !== null && "frozen" in row && row.frozen === true;
  switch (dsn.targetSession) {
    case "read-write":
      return !frozen && !standby;
    case "read-only":
      return frozen || standby;
    case "primary":
      return !standby;
    case "standby":
    case "prefer-standby":
      return standby;
  }
}
