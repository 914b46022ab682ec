/** A value the driver can bind. `undefined` is refused at run time: bind `null`. */
export type SqlValue =
  | string
  | number
  | boolean
  | bigint
  | Date
  | Buffer
  | null
  | readonly SqlValue[]
  | SqlJson;
/** Objects are bound as JSON text. */
export interface SqlJson {
  readonly [key: string]: unknown;
}

/**
 * One SQL statement of a `store.ts`: a stable name (it becomes the prepared statement's) and its text as a function of the
 * quoted schema. Declare statements at module level with {@link sql}; never build text from input.
 */
export interface Statement {
  readonly name: string;
  readonly text: (schema: string) => string;
  /** Several commands in one text, without values; never prepared. */
  readonly script?: true;
  /** A read of a few rows by key, which travels with others. */
  readonly lookup?: true;
}

/** Declares a statement. `name` is `capability.verbNoun`, unique in the project (a test checks it). */
export function sql(name: string, text: (schema: string) => string): Statement {
  return { name, text };
}

/**
 * Declares a read by key: answered from an index in microseconds, never behind a lock. Outside transactions, look-ups asked for at once share
 * a connection and a write.
 */
export function lookup(name: string, text: (schema: string) => string): Statement {
  return { name, text, lookup: true };
}

/** Declares a text of several commands, for migrations and maintenance. */
export function script(name: string, text: (schema: string) => string): Statement {
  return { name, text, script: true };
}

export interface QueryOptions {
  /** Aborting cancels the running statement on the server and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds the statement may take, instead of the configured time-out; 0 = unlimited. */
  readonly timeoutMs?: number | undefined;
}

/** Runs statements; either straight on the pool (each its own transaction) or inside a transaction. */
export interface Queryable {
  /** All rows. Column names come back as written in the statement; alias them to camelCase there. */
  rows<R extends object>(
    statement: Statement,
    values?: readonly SqlValue[],
    options?: QueryOptions,
  ): Promise<R[]>;
  /** The first row, or undefined. */
  row<R extends object>(
    statement: Statement,
    values?: readonly SqlValue[],
    options?: QueryOptions,
  ): Promise<R | undefined>;
  /** Number of affected rows. */
  run(statement: Statement, values?: readonly SqlValue[], options?: QueryOptions): Promise<number>;
}

export interface TransactionOptions extends QueryOptions {
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
}

/**
 * PostgreSQL. Types as returned: `uuid`, `text`, `citext`, `inet` → string; `timestamptz` → Date; `bytea` → Buffer;
 * `jsonb` → parsed; `int8` → number (counts and sequence ids stay far below 2^53); arrays → arrays.
 *
 * Errors: a constraint violation surfaces as {@link ConstraintViolation}; an unreachable or refusing database as
 * `AuthError("service_unavailable")` with `retryAfter` 1; a value with U+0000, which no text can hold, as `AuthError("invalid_request")`.
 */
export interface Database extends Queryable {
  /** Validated schema name of this deployment. */
  readonly schema: string;
  /** Runs `work` in one transaction; commits when it resolves, rolls back when it rejects. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** One round trip. Rejects with `AuthError("service_unavailable")` when the database does not answer. */
  ping(): Promise<void>;
  readonly pool: PoolState;
  close(): Promise<void>;
}

export interface Transaction extends Queryable {
  /** Runs after the commit, in order; never when it rolls back. For cache invalidation and publications. */
  afterCommit(task: () => void | Promise<void>): void;
  /**
   * `COPY target FROM STDIN` of text-format rows, for bulk import and seeding; `target` names table and columns, with the
   * schema as in a statement. Returns the number of rows the server has acknowledged.
   */
  copyIn(target: Statement, lines: Iterable<string> | AsyncIterable<string>): Promise<number>;
}

export interface PoolState {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** A unique, foreign-key, check or not-null violation, named by the constraint it hit. */
export class ConstraintViolation extends Error {
  override readonly name = "ConstraintViolation";
  readonly kind: "unique" | "foreign_key" | "check" | "not_null" | "exclusion";
  readonly constraint: string;
  readonly table: string | undefined;
  readonly column: string | undefined;

  constructor(
    kind: ConstraintViolation["kind"],
    constraint: string,
    where: { table?: string | undefined; column?: string | undefined; cause?: unknown },
  ) {
    super(`${kind} violation of ${constraint}`, { cause: where.cause });
    this.kind = kind;
    this.constraint = constraint;
    this.table = where.table;
    this.column = where.column;
  }
}
