import pg from "pg";
import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation } from "./port.ts";

/** A statement the server refused for a reason that is a bug or a state of the schema; logged, never shown. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  /** SQLSTATE, five characters. */
  readonly sqlState: string;

  constructor(statement: string, sqlState: string, cause: unknown) {
    super(`${statement} failed with SQLSTATE ${sqlState}`, { cause });
    this.sqlState = sqlState;
  }
}

const violations: Readonly<Record<string, ConstraintViolation["kind"]>> = {
  "23001": "foreign_key",
  "23502": "not_null",
  "23503": "foreign_key",
  "23505": "unique",
  "23514": "check",
  "23P01": "exclusion",
};

const networkCodes = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  "ERR_STREAM_DESTROYED",
]);

/** How the driver words the loss of a connection, which carries no code. */
const driverPhrases =
  /^(Connection terminated|timeout expired|Client has encountered a connection error|Client was closed)/;

/** SQLSTATE of a server's error; undefined for anything else, such as a broken connection. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return error.sqlState;
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/**
 * Whether the connection that failed this way cannot serve further statements: lost, ended by the server, or a server
 * that has become read-only and no longer is the one to talk to.
 */
export function isConnectionFailure(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined) return state.startsWith("08") || /^57P0[1-5]$/.test(state) || state === "25006";
  if (!(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && networkCodes.has(error.code)) return true;
  return driverPhrases.test(error.message);
}

/** Server states that pass by themselves: too many connections, out of memory or disk, cancelled by a time-out. */
function isOverload(state: string): boolean {
  return state.startsWith("53") || state === "57014" || state === "55P03";
}

/** A value holds U+0000, as text or as an escape within JSON. Only input brings one along, and no column takes it. */
function isUnstorable(state: string): boolean {
  return state === "22021" || state === "22P05";
}

/** The plan or name of a prepared statement is gone, by DDL or by a pooler; without effect, so it may simply be sent again. */
export function isStalePlan(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  return error.code === "26000" || (error.code === "0A000" && error.routine === "RevalidateCachedQuery");
}

/** Serialization failure or deadlock: the transaction had no effect and may be run again. */
export function isTransactionConflict(state: string | undefined): boolean {
  return state === "40001" || state === "40P01";
}

/** An unreachable or overloaded database, as callers see it. */
export function unavailable(cause: unknown): AuthError {
  return new AuthError("service_unavailable", { retryAfter: 1, cause });
}

/** The error of the port for what the driver reported of `statement`. */
export function translate(error: unknown, statement: string): unknown {
  if (error instanceof AuthError || error instanceof ConstraintViolation || error instanceof DatabaseError)
    return error;
  const state = sqlStateOf(error);
  if (state === undefined) return isConnectionFailure(error) ? unavailable(error) : error;
  const kind = violations[state];
  if (kind !== undefined && error instanceof pg.DatabaseError) {
    return new ConstraintViolation(kind, error.constraint ?? "", {
      table: error.table,
      column: error.column,
      cause: error,
    });
  }
  if (isConnectionFailure(error) || isOverload(state) || isTransactionConflict(state))
    return unavailable(error);
  if (isUnstorable(state)) return new AuthError("invalid_request", { cause: error });
  return new DatabaseError(statement, state, error);
}
