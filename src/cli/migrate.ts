import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Config } from "../config/config.ts";
import {
  type AdoptionReport,
  adopt,
  adoptionReport,
  label,
  type MigrationStatus,
  migrateUp,
  migrationStatus,
} from "../core/schema/index.ts";
import type { Log } from "../platform/log/port.ts";
import type { Metrics } from "../platform/metrics/port.ts";
import { createDatabase, startEmbeddedPostgres } from "../platform/postgres/index.ts";
import type { Database } from "../platform/postgres/port.ts";

export interface MigrateContext {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Prints one line of the answer. */
  readonly print: (line: string) => void;
  /** Brings tables outside the migrations up to date (the job queue's); runs after `up` and after an adoption. */
  readonly finish?: (config: Config) => Promise<void>;
}

const usage = `Usage: authkit-server migrate [up|status|adopt] [options]

  up              Applies what is pending (the default).
  status          Shows what is applied and what is pending.
  adopt           Reports on the tables of a contract server, changing nothing.

  --check         Changes nothing; exit code 3 when something is pending.
  --rehearse      With adopt: converts, tells how long it took, and undoes it.
  --adopt         Converts the tables of a contract server. Stop that server first.`;

/** Exit codes of the command. */
const pendingCode = 3;
const blockedCode = 4;

/**
 * `authkit-server migrate …`. Returns the exit code: 0 done, 2 wrong use, 3 something is pending (`--check`), 4 an adoption
 * is impossible.
 *
 * @throws SchemaError when the database cannot be brought to the wanted shape.
 */
export async function migrateCommand(
  args: readonly string[],
  config: Config,
  context: MigrateContext,
): Promise<number> {
  const parsed = parse(args);
  if (parsed === undefined || parsed.help) {
    context.print(usage);
    return parsed === undefined ? 2 : 0;
  }
  return withDatabase(config, context, async (database, resolved) => {
    if (parsed.action === "adopt") return adoptAction(database, resolved, context, parsed);
    if (parsed.check || parsed.action === "status") {
      const status = await migrationStatus(database);
      printStatus(status, context);
      return parsed.check && status.pending.length > 0 ? pendingCode : 0;
    }
    const applied = await migrateUp(database, context.log);
    for (const migration of applied) context.print(`applied ${label(migration)}`);
    await context.finish?.(resolved);
    context.print(applied.length === 0 ? "nothing to do" : "migrations applied");
    return 0;
  });
}

interface Parsed {
  readonly action: "up" | "status" | "adopt";
  readonly check: boolean;
  readonly convert: boolean;
  readonly rehearse: boolean;
  readonly help: boolean;
}

function parse(args: readonly string[]): Parsed | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        check: { type: "boolean", default: false },
        adopt: { type: "boolean", default: false },
        rehearse: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const [named = values.adopt || values.rehearse ? "adopt" : "up", ...more] = positionals;
    if (more.length > 0 || (named !== "up" && named !== "status" && named !== "adopt")) return undefined;
    if (named !== "adopt" && (values.adopt || values.rehearse)) return undefined;
    const { check, adopt: convert, rehearse, help } = values;
    return { action: named, check, convert: convert && !check, rehearse, help };
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

async function withDatabase(
  config: Config,
  context: MigrateContext,
  work: (database: Database, resolved: Config) => Promise<number>,
): Promise<number> {
  const embedded =
    config.database.url === "embedded"
      ? await startEmbeddedPostgres({ directory: join(config.stateDirectory, "postgres"), log: context.log })
      : undefined;
  const resolved: Config =
    embedded === undefined ? config : { ...config, database: { ...config.database, url: embedded.url } };
  const database = createDatabase({ ...resolved.database, poolMin: 0 }, context.log, context.metrics, {
    applicationName: "authkit migrate",
    poolMax: 2,
  });
  try {
    return await work(database, resolved);
  } finally {
    await database.close();
    await embedded?.stop();
  }
}

async function adoptAction(
  database: Database,
  config: Config,
  context: MigrateContext,
  { convert, rehearse }: Parsed,
): Promise<number> {
  const report = await adoptionReport(database);
  printReport(report, context);
  if (report.blocking.length > 0) return blockedCode;
  if (!convert && !rehearse) {
    context.print("\nNothing was changed. Convert with `migrate adopt --adopt`; try it with `--rehearse`.");
    return 0;
  }
  const started = performance.now();
  const { baseline } = await adopt(database, context.log, { rehearse: rehearse && !convert });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (!convert) {
    context.print(`\nThe conversion works and takes ${seconds} s here. It was undone.`);
    return 0;
  }
  await context.finish?.(config);
  context.print(`\nConverted in ${seconds} s; now at ${baseline.map(label).at(-1) ?? "no migration"}.`);
  return 0;
}

function printStatus(status: MigrationStatus, { print }: MigrateContext): void {
  for (const row of status.applied) {
    print(`${row.adopted ? "adopted" : "applied"}  ${label(row)}  ${row.appliedAt.toISOString()}`);
  }
  for (const migration of status.pending) print(`pending  ${label(migration)}`);
  for (const row of status.newer) print(`${label(row)} belongs to a newer release`);
  if (status.generation !== "none") {
    print(
      `The tables are those of a contract server (generation ${status.generation}); see \`migrate adopt\`.`,
    );
  }
}

function printReport(report: AdoptionReport, { print }: MigrateContext): void {
  print(`Generation ${report.generation}`);
  print("\nRows:");
  for (const [name, count] of Object.entries(report.rows)) print(`  ${name.padEnd(36)} ${count}`);
  printList(print, "Tables not of the contract (left alone)", report.unknownTables);
  printList(print, "Columns not of the contract (left alone)", report.unknownColumns);
  printList(
    print,
    "Passwords that can never verify, by algorithm",
    report.unknownHashes.map(({ algorithm, passwords }) => `${algorithm}: ${passwords}`),
  );
  if (report.manyRoles > 0) {
    print(
      `\nUsers with several roles in one group: ${report.manyRoles}. \`owner\` stays, else the role given last.`,
    );
  }
  printList(print, "Reserved names to take over into the configuration", report.reservedNames);
  printList(print, "Rules and indexes that are replaced", report.dropped);
  printList(print, "Adoption is impossible because", report.blocking);
}

function printList(print: (line: string) => void, title: string, items: readonly string[]): void {
  if (items.length === 0) return;
  print(`\n${title}:`);
  for (const item of items) print(`  ${item}`);
}
