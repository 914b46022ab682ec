import type { Log } from "../../platform/log/port.ts";
import { type Database, type Queryable, script, type Transaction } from "../../platform/postgres/port.ts";
import { SchemaError } from "./errors.ts";
import { type Migration, readMigrations, renderMigration, splitCommands } from "./files.ts";
import { detectGeneration, type Generation } from "./generation.ts";
import { type LedgerRow, ledgerStore, ledgerTable } from "./ledger-store.ts";

export interface MigrationStatus {
  /** What the tables are when our ledger does not say so itself. */
  readonly generation: Generation;
  readonly applied: readonly LedgerRow[];
  readonly pending: readonly Migration[];
  /** Applied by a newer release than this one. */
  readonly newer: readonly LedgerRow[];
}

export interface MigrateOptions {
  /** Where the files are; the project's own by default. */
  readonly directory?: string;
}

const minimumServer = 150_000;
/** A migration, or the wait for another migrator, may take this long. */
const migrationTimeoutMs = 600_000;

/**
 * What has been applied and what has not.
 *
 * @throws SchemaError `digest_mismatch` when an applied file has changed since; `server_too_old`.
 */
export async function migrationStatus(
  database: Database,
  options: MigrateOptions = {},
): Promise<MigrationStatus> {
  return statusOf(database, database.schema, await readMigrations(options.directory));
}

/** Names of the migrations not yet applied, in order; empty when the schema is ready for this release. */
export async function pendingMigrations(database: Database): Promise<string[]> {
  return (await migrationStatus(database)).pending.map(label);
}

/**
 * Applies what is pending, each file in a transaction of its own with its ledger row, one migrator at a time. Returns what
 * was applied, which is nothing when another migrator was faster.
 *
 * @throws SchemaError `adoption_needed` for the tables of a contract server that were never adopted; as {@link migrationStatus}.
 */
export async function migrateUp(
  database: Database,
  log: Log,
  options: MigrateOptions = {},
): Promise<readonly Migration[]> {
  const migrations = await readMigrations(options.directory);
  const applied: Migration[] = [];
  refuseForeign(await statusOf(database, database.schema, migrations));
  for (;;) {
    const status = await statusOf(database, database.schema, migrations);
    if (status.pending.length === 0) return applied;
    const migration = await database.transaction((tx) => applyNext(database, tx, migrations), {
      timeoutMs: migrationTimeoutMs,
    });
    if (migration === undefined) return applied;
    log.info({ version: migration.version, name: migration.name }, "migration applied");
    applied.push(migration);
  }
}

async function applyNext(
  database: Database,
  tx: Transaction,
  migrations: readonly Migration[],
): Promise<Migration | undefined> {
  await ledgerStore.lock(tx, database.schema);
  const status = await statusOf(tx, database.schema, migrations);
  refuseForeign(status);
  const [next] = status.pending;
  if (next === undefined) return undefined;
  await ledgerStore.create(tx);
  if (next.transactional) await tx.run(commands(next));
  else await runOutside(database, next);
  await ledgerStore.add(tx, next, false);
  return next;
}

function commands(migration: Migration) {
  return script(`schema.migration.${migration.version}`, (s) => renderMigration(migration, s));
}

/** On another connection, while the caller's transaction holds the lock. */
async function runOutside(database: Database, migration: Migration): Promise<void> {
  const parts = splitCommands(migration.text);
  for (const [index, text] of parts.entries()) {
    const command = script(`schema.migration.${migration.version}.${index}`, (s) =>
      renderMigration({ ...migration, text }, s),
    );
    await database.run(command, [], { timeoutMs: migrationTimeoutMs });
  }
}

function refuseForeign(status: MigrationStatus): void {
  if (status.generation === "none" || status.applied.length > 0) return;
  throw new SchemaError(
    "adoption_needed",
    `The schema holds the tables of a contract server (generation ${status.generation}). Look at \`migrate adopt\`, then convert them with \`migrate adopt --adopt\`.`,
  );
}

async function statusOf(
  on: Queryable,
  schema: string,
  migrations: readonly Migration[],
): Promise<MigrationStatus> {
  const server = await ledgerStore.serverVersion(on);
  if (server.version < minimumServer) {
    throw new SchemaError("server_too_old", `PostgreSQL ${server.text} is too old; 15 or newer is needed.`);
  }
  const rows = (await ledgerStore.hasTable(on, schema, ledgerTable)) ? await ledgerStore.list(on) : [];
  const byVersion = new Map(rows.map((row) => [row.version, row]));
  for (const migration of migrations) {
    const row = byVersion.get(migration.version);
    if (row !== undefined && row.digest !== migration.digest) {
      throw new SchemaError(
        "digest_mismatch",
        `Migration ${label(migration)} was applied with other contents (then ${row.digest.slice(0, 12)}, now ${migration.digest.slice(0, 12)}). Restore the file of the release that applied it.`,
      );
    }
  }
  return {
    generation: rows.length > 0 ? "none" : await detectGeneration(on, schema),
    applied: rows,
    pending: migrations.filter(({ version }) => !byVersion.has(version)),
    newer: rows.filter(({ version }) => version > migrations.length),
  };
}

/** `0001_contract`. */
export function label({ version, name }: { readonly version: number; readonly name: string }): string {
  return `${String(version).padStart(4, "0")}_${name}`;
}
