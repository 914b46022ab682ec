import { type Queryable, script, sql, type Transaction } from "../../platform/postgres/port.ts";
import type { Migration } from "./files.ts";

export interface LedgerRow {
  readonly version: number;
  readonly name: string;
  readonly digest: string;
  readonly appliedAt: Date;
  /** The shape was found in the database rather than made by the migration. */
  readonly adopted: boolean;
}

const lock = sql(
  "schema.lock",
  () => "SELECT pg_advisory_xact_lock(hashtextextended('authkit.migrate.' || $1::text, 0))",
);

const limits = script(
  "schema.limits",
  () => `
  SET LOCAL lock_timeout = '10s';
  SET LOCAL statement_timeout = '300s';
  SET LOCAL idle_in_transaction_session_timeout = 0;
  SET LOCAL client_min_messages = warning`,
);

const serverVersion = sql(
  "schema.serverVersion",
  () =>
    `SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS text`,
);

const hasTable = sql(
  "schema.hasTable",
  () => `SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = $2) AS found`,
);

const createLedger = script(
  "schema.createLedger",
  (s) => `
  CREATE SCHEMA IF NOT EXISTS ${s};
  CREATE TABLE IF NOT EXISTS ${s}.schema_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    adopted boolean NOT NULL DEFAULT false
  )`,
);

const list = sql(
  "schema.listMigrations",
  (s) =>
    `SELECT version, name, digest, applied_at AS "appliedAt", adopted FROM ${s}.schema_migrations ORDER BY version`,
);

const insert = sql(
  "schema.insertMigration",
  (s) => `INSERT INTO ${s}.schema_migrations (version, name, digest, adopted) VALUES ($1, $2, $3, $4)`,
);

export const ledgerTable = "schema_migrations";

export const ledgerStore = {
  /** Held until the transaction ends; set before the limits, so that waiting for another migrator is not cut short. */
  async lock(tx: Transaction, schema: string): Promise<void> {
    await tx.row(lock, [schema]);
    await tx.run(limits);
  },

  async serverVersion(on: Queryable): Promise<{ version: number; text: string }> {
    return (
      (await on.row<{ version: number; text: string }>(serverVersion)) ?? { version: 0, text: "unknown" }
    );
  },

  async hasTable(on: Queryable, schema: string, table: string): Promise<boolean> {
    return (await on.row<{ found: boolean }>(hasTable, [schema, table]))?.found === true;
  },

  async create(on: Queryable): Promise<void> {
    await on.run(createLedger);
  },

  list: (on: Queryable): Promise<LedgerRow[]> => on.rows<LedgerRow>(list),

  async add(on: Queryable, migration: Migration, adopted: boolean): Promise<void> {
    await on.run(insert, [migration.version, migration.name, migration.digest, adopted]);
  },
};
