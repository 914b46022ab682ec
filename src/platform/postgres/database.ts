import type pg from "pg";
import type { DatabaseConfig } from "../../config/config.ts";
import { parseDsn } from "../../config/dsn.ts";
import type { Log } from "../log/port.ts";
import type { Metrics } from "../metrics/port.ts";
import { statementSpan, type Tracing } from "../tracing/port.ts";
import { currentSignal, uncancelled } from "./cancellation.ts";
import { tlsAttempts } from "./encryption.ts";
import { watch } from "./execution.ts";
import {
  isConnectionFailure,
  isStalePlan,
  isTransactionConflict,
  sqlStateOf,
  translate,
} from "./failures.ts";
import { createInstruments } from "./instruments.ts";
import { createLookups } from "./lookups.ts";
import { openConnection } from "./opening.ts";
import { ConnectionPool } from "./pool.ts";
import {
  type Database,
  type QueryOptions,
  type SqlValue,
  type Statement,
  sql,
  type Transaction,
  type TransactionOptions,
} from "./port.ts";
import { createRenderer, type Rendered } from "./rendering.ts";
import { conflict, RunningTransaction, type TransactionContext } from "./transaction.ts";
import { bindable } from "./values.ts";

export interface DatabaseOptions {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Overrides the configured size, for processes that need fewer connections. */
  readonly poolMax?: number | undefined;
  /** Overrides the configured time-out; 0 = none. */
  readonly statementTimeoutMs?: number | undefined;
  /** Gives each statement a span. */
  readonly tracing?: Tracing | undefined;
  /** Where `PG*` variables fill gaps of the DSN; the process's own by default. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

const transactionAttempts = 3;
const statementAttempts = 3;

const probe = sql("database.ping", () => "SELECT 1");

/**
 * Whether a statement that was its own transaction may be sent once more. A connection that died while idle shows only when used: what changes
 * nothing may be sent again; a write may have arrived, so its fate is for the caller to find out. What the server undid for the sake of
 * others (a migration takes its locks in another order than a look-up does) had no effect.
 *
 * @param again 1 for the first repetition.
 */
function mayRepeat(error: unknown, readOnly: boolean, again: number): boolean {
  if (isTransactionConflict(sqlStateOf(error))) return true;
  return again === 1 && (isStalePlan(error) || (readOnly && isConnectionFailure(error)));
}

/** The driver answers a text of several commands with a list. */
function rowsOf<R extends object>(result: pg.QueryResult<R> | readonly pg.QueryResult<R>[]): R[] {
  return "rows" in result ? result.rows : result.flatMap(({ rows }) => rows);
}

/**
 * Opens the database port. No connection is made before the first statement (or, with a minimum size, shortly after).
 *
 * @throws InvalidDsn for an unusable connection string; Error for an invalid schema name or unreadable certificate file.
 */
export function createDatabase(
  config: DatabaseConfig,
  log: Log,
  metrics: Metrics,
  options: DatabaseOptions,
): Database {
  if (config.url === "embedded")
    throw new Error("the embedded database must be started before it is connected to");
  const dsn = parseDsn(config.url, options.environment ?? process.env);
  const timeoutMs =
    dsn.connectTimeoutSeconds === undefined || dsn.connectTimeoutSeconds === 0
      ? config.connectTimeoutMs
      : dsn.connectTimeoutSeconds * 1000;
  const connect = {
    dsn,
    tls: tlsAttempts(dsn),
    applicationName: dsn.applicationName ?? options.applicationName,
    timeoutMs,
  };
  const pool = new ConnectionPool({
    max: options.poolMax ?? config.poolMax,
    min: config.poolMin,
    idleTimeoutMs: config.idleTimeoutMs,
    maxLifetimeMs: config.maxLifetimeMs,
    waitTimeoutMs: config.connectTimeoutMs,
    open: () => openConnection(connect),
    onWait: (milliseconds) => instruments.waited(milliseconds),
    soleServer: dsn.targetSession === "read-write" || dsn.targetSession === "primary",
    log,
  });
  const instruments = createInstruments(metrics, () => pool.state);
  const render = createRenderer(config.schema, config.preparedStatements);
  const statementTimeoutMs = options.statementTimeoutMs ?? config.statementTimeoutMs;

  const lookUp = createLookups(pool, statementTimeoutMs, log);

  const attempt = async <R extends object>(
    rendered: Rendered,
    bound: unknown[],
    { signal, timeoutMs = statementTimeoutMs }: QueryOptions,
  ): Promise<pg.QueryResult<R>> => {
    const lent = pool.acquire(signal);
    const connection = lent instanceof Promise ? await lent : lent;
    const { result, settled } = watch(connection, connection.query<R>(rendered, bound), {
      signal,
      timeoutMs,
      log,
    });
    try {
      return await result;
    } catch (error) {
      // A text of several commands that failed half-way may leave a transaction it began.
      if (rendered.isScript || isStalePlan(error) || isConnectionFailure(error)) connection.destroy();
      throw error;
    } finally {
      settled.then(() => pool.release(connection));
    }
  };

  const untraced = async <R extends object>(
    statement: Statement,
    values: readonly SqlValue[] = [],
    queryOptions: QueryOptions = {},
  ): Promise<pg.QueryResult<R>> => {
    const rendered = render(statement);
    const bound = bindable(values, rendered.label);
    const started = performance.now();
    const signal = queryOptions.signal ?? currentSignal();
    const settings = signal === undefined ? queryOptions : { ...queryOptions, signal };
    try {
      signal?.throwIfAborted();
      const first =
        rendered.isLookup && queryOptions.timeoutMs === undefined
          ? lookUp<R>(rendered, bound, signal)
          : attempt<R>(rendered, bound, settings);
      return await first.catch(async (failure: unknown) => {
        let error = failure;
        for (let again = 1; again < statementAttempts; again++) {
          if (signal?.aborted || !mayRepeat(error, rendered.readOnly, again)) break;
          try {
            return await attempt<R>(rendered, bound, settings);
          } catch (later) {
            error = later;
          }
        }
        throw error;
      });
    } catch (error) {
      const translated = translate(error, rendered.label);
      instruments.failed(translated);
      throw translated;
    } finally {
      instruments.took(performance.now() - started);
    }
  };

  const { tracing } = options;
  const query: typeof untraced =
    tracing === undefined
      ? untraced
      : (statement, values, queryOptions) => {
          const { label } = render(statement);
          return tracing.span(label, statementSpan(label), () => untraced(statement, values, queryOptions));
        };

  const context: TransactionContext = {
    acquire: (signal) => pool.acquire(signal),
    release: (connection) => pool.release(connection),
    render,
    timeoutMs: statementTimeoutMs,
    log,
    tracing,
  };

  const transaction = async <T>(
    work: (tx: Transaction) => Promise<T>,
    given: TransactionOptions = {},
  ): Promise<T> => {
    const transactionOptions = { ...given, signal: given.signal ?? currentSignal() };
    for (let remaining = transactionAttempts - 1; ; remaining--) {
      const running = new RunningTransaction(context, transactionOptions);
      try {
        const result = await work(running);
        await running.commit();
        await uncancelled(() => running.runTasks());
        return result;
      } catch (error) {
        await running.rollback();
        const state = running.failedState;
        if (state !== undefined && isTransactionConflict(state)) {
          instruments.conflicted();
          if (remaining > 0) continue;
          throw conflict(state, error);
        }
        instruments.failed(error);
        throw error;
      }
    }
  };

  return {
    schema: config.schema,
    rows: async <R extends object>(
      statement: Statement,
      values?: readonly SqlValue[],
      queryOptions?: QueryOptions,
    ) => rowsOf(await query<R>(statement, values, queryOptions)),
    row: async <R extends object>(
      statement: Statement,
      values?: readonly SqlValue[],
      queryOptions?: QueryOptions,
    ) => (await query<R>(statement, values, queryOptions)).rows[0],
    run: async (statement, values, queryOptions) =>
      (await query(statement, values, queryOptions)).rowCount ?? 0,
    transaction,
    ping: async () => {
      await query(probe, [], { timeoutMs: config.connectTimeoutMs });
    },
    get pool() {
      return pool.state;
    },
    close: async () => {
      instruments.stop();
      await pool.close();
    },
  };
}
