import type pg from "pg";
import type { Log } from "../log/port.ts";
import { statementSpan, type Tracing } from "../tracing/port.ts";
import type { Connection } from "./connection.ts";
import { watch } from "./execution.ts";
import { DatabaseError, isConnectionFailure, sqlStateOf, translate, unavailable } from "./failures.ts";
import type { QueryOptions, SqlValue, Statement, Transaction, TransactionOptions } from "./port.ts";
import type { Rendered } from "./rendering.ts";
import { bindable } from "./values.ts";

export interface TransactionContext {
  readonly acquire: (signal: AbortSignal | undefined) => Connection | Promise<Connection>;
  readonly release: (connection: Connection) => void;
  readonly render: (statement: Statement) => Rendered;
  readonly timeoutMs: number;
  readonly log: Log;
  readonly tracing: Tracing | undefined;
}

/** A client that vanished without a word must not keep its row locks. */
const idleLimit = "SET LOCAL idle_in_transaction_session_timeout = 60000";

/**
 * One attempt at a transaction. The connection is taken and `BEGIN` sent with the first statement, so work that decides
 * before touching the database costs nothing, and the beginning costs no round trip of its own.
 */
export class RunningTransaction implements Transaction {
  readonly #context: TransactionContext;
  readonly #options: TransactionOptions;
  readonly #tasks: (() => void | Promise<void>)[] = [];
  #connection: Promise<Connection> | undefined;
  #begun: Promise<unknown> | undefined;
  #free: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  #over = false;

  constructor(context: TransactionContext, options: TransactionOptions) {
    this.#context = context;
    this.#options = options;
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? this.#context.timeoutMs;
  }

  /** SQLSTATE of the statement that made the transaction fail, whatever the work made of that error. */
  get failedState(): string | undefined {
    return sqlStateOf(this.#failure);
  }

  async rows<R extends object>(
    statement: Statement,
    values?: readonly SqlValue[],
    options?: QueryOptions,
  ): Promise<R[]> {
    const result = await this.#query<R>(statement, values, options);
    return result.rows;
  }

  async row<R extends object>(
    statement: Statement,
    values?: readonly SqlValue[],
    options?: QueryOptions,
  ): Promise<R | undefined> {
    const result = await this.#query<R>(statement, values, options);
    return result.rows[0];
  }

  async run(statement: Statement, values?: readonly SqlValue[], options?: QueryOptions): Promise<number> {
    const result = await this.#query(statement, values, options);
    return result.rowCount ?? 0;
  }

  afterCommit(task: () => void | Promise<void>): void {
    this.#tasks.push(task);
  }

  copyIn(target: Statement, lines: Iterable<string> | AsyncIterable<string>): Promise<number> {
    const { label, text } = this.#context.render(target);
    return this.#send(label, undefined, 0, (connection) =>
      connection.copyIn(`COPY ${text} FROM STDIN`, lines),
    );
  }

  /** Commits what was done, if anything was. */
  async commit(): Promise<void> {
    this.#over = true;
    if (this.#connection === undefined) return;
    const connection = await this.#connection;
    await this.#traced("COMMIT", () => this.#commit(connection));
  }

  async #commit(connection: Connection): Promise<void> {
    await this.#free;
    const { result, settled } = watch(connection, connection.command("COMMIT"), {
      signal: undefined,
      timeoutMs: this.#timeoutMs,
      log: this.#context.log,
    });
    try {
      const { command } = await result;
      // The server answers a COMMIT of a failed transaction by rolling back, without an error.
      if (command !== "COMMIT") throw this.#failure ?? new Error("the transaction had already failed");
    } catch (error) {
      this.#failure ??= error;
      throw translate(error, "COMMIT");
    } finally {
      settled.then(() => this.#context.release(connection));
    }
  }

  /** Undoes everything and gives the connection back; never throws. */
  async rollback(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    if (this.#connection === undefined) return;
    const connection = await this.#connection.catch(() => undefined);
    if (connection === undefined) return;
    await this.#free;
    try {
      if (isConnectionFailure(this.#failure)) connection.destroy();
      if (!connection.broken) {
        const { result } = watch(connection, connection.command("ROLLBACK"), {
          signal: undefined,
          timeoutMs: this.#timeoutMs,
          log: this.#context.log,
        });
        await result;
      }
    } catch (error) {
      this.#context.log.debug({ err: error }, "rolling back failed; dropping the connection");
      connection.destroy();
    }
    this.#context.release(connection);
  }

  /** Runs the tasks of {@link afterCommit}. What was committed stays, so a failing task is only logged. */
  async runTasks(): Promise<void> {
    for (const task of this.#tasks) {
      try {
        await task();
      } catch (error) {
        this.#context.log.error({ err: error }, "a task after a commit failed");
      }
    }
  }

  #query<R extends object>(
    statement: Statement,
    values: readonly SqlValue[] = [],
    options?: QueryOptions,
  ): Promise<pg.QueryResult<R>> {
    const rendered = this.#context.render(statement);
    const bound = bindable(values, rendered.label);
    return this.#traced(rendered.label, () =>
      this.#send(rendered.label, options?.signal, options?.timeoutMs, (connection) =>
        connection.query<R>(rendered, bound),
      ),
    );
  }

  #traced<T>(label: string, work: () => Promise<T>): Promise<T> {
    const { tracing } = this.#context;
    return tracing === undefined ? work() : tracing.span(label, statementSpan(label), work);
  }

  async #send<T>(
    label: string,
    ownSignal: AbortSignal | undefined,
    ownTimeoutMs: number | undefined,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    if (this.#over) throw new Error(`${label} was sent after its transaction had ended`);
    const signal = ownSignal ?? this.#options.signal;
    const timeoutMs = ownTimeoutMs ?? this.#timeoutMs;
    signal?.throwIfAborted();
    this.#connection ??= Promise.resolve(this.#context.acquire(this.#options.signal ?? signal));
    const connection = await this.#connection;
    const begun = this.#begin(connection);
    const { result, settled } = watch(connection, work(connection), {
      signal,
      timeoutMs,
      log: this.#context.log,
    });
    this.#free = Promise.all([this.#free, settled]);
    try {
      const [value] = await Promise.all([result, begun]);
      return value;
    } catch (error) {
      this.#failure ??= error;
      throw translate(error, label);
    }
  }

  #begin(connection: Connection): Promise<unknown> | undefined {
    if (this.#begun !== undefined) return undefined;
    const { isolation } = this.#options;
    const begin = isolation === undefined ? "BEGIN" : `BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`;
    this.#begun = connection.command(`${begin}; ${idleLimit}`);
    return this.#begun;
  }
}

/** The error of a transaction that lost every attempt to others. */
export function conflict(state: string, cause: unknown): Error {
  return unavailable(new DatabaseError("transaction", state, cause));
}
