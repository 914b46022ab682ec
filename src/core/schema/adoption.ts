import { randomBytes } from "node:crypto";
import { knownAlgorithms } from "../../platform/hashing/formats/index.ts";
import type { Log } from "../../platform/log/port.ts";
import { type Database, script, type Transaction } from "../../platform/postgres/port.ts";
import { quoteSchema } from "../../platform/postgres/rendering.ts";
import { describeSchema, type SchemaShape } from "./catalog-store.ts";
import { conversionStore } from "./conversion-store.ts";
import { SchemaError } from "./errors.ts";
import { type Migration, readMigrations, renderMigration } from "./files.ts";
import { detectGeneration, type Generation } from "./generation.ts";
import { ledgerStore, ledgerTable } from "./ledger-store.ts";
import { reconcile } from "./reconcile.ts";

export interface AdoptionReport {
  readonly generation: Generation;
  readonly rows: Readonly<Record<string, number>>;
  /** Not of the contract; left as they are. */
  readonly unknownTables: readonly string[];
  readonly unknownColumns: readonly string[];
  /** Passwords that can never verify, by `hash_algo`. */
  readonly unknownHashes: readonly { readonly algorithm: string; readonly passwords: number }[];
  readonly duplicateEmails: number;
  /** Users with more than one live role in a group; all but one are ended. */
  readonly manyRoles: number;
  /** Names added to the contract's list of reserved names; they belong into the configuration. */
  readonly reservedNames: readonly string[];
  /** Constraints and indexes that do not survive. */
  readonly dropped: readonly string[];
  /** What stands in the way; adoption refuses while there is any. */
  readonly blocking: readonly string[];
}

export interface Adoption {
  readonly generation: Generation;
  /** Migrations the converted tables now count as having. */
  readonly baseline: readonly Migration[];
}

export interface AdoptOptions {
  /** Does everything and then undoes it, to learn whether it works and how long it takes. */
  readonly rehearse?: boolean;
}

const adoptionTimeoutMs = 3_600_000;

/** Tables both generations have; without any of them these are not a contract server's tables. */
const required = [
  "users",
  "user_passwords",
  "user_providers",
  "user_renames",
  "refresh_sessions",
  "mfa_settings",
  "mfa_factors",
  "user_passkey_handles",
  "user_passkeys",
  "group_persona_parents",
  "permission_groups",
  "group_user_roles",
  "group_remote_application_roles",
  "group_custom_roles",
  "group_invite_links",
  "account_registration_invites",
  "group_membership_invites",
  "api_keys",
  "remote_applications",
  "remote_application_attribute_defs",
  "bootstrap_applies",
];

/** Undoes a transaction whose work is only wanted for what it found. */
class Undo<T> extends Error {
  readonly value: T;
  constructor(value: T) {
    super("undone on purpose");
    this.value = value;
  }
}

/**
 * Looks at the tables of a contract server without changing anything: what is there, what would be lost, what stands in the way.
 *
 * @throws SchemaError `nothing_to_adopt` when there are no such tables, or they are adopted already.
 */
export async function adoptionReport(database: Database): Promise<AdoptionReport> {
  const migrations = await readMigrations();
  return undone(database, async (tx) => {
    const generation = await adoptable(tx, database.schema);
    const want = await wantedShape(tx, migrations);
    return reportOf(tx, generation, await describeSchema(tx, database.schema), want);
  });
}

/**
 * Converts the tables of a contract server, of either generation, into ours: one transaction, under the lock of the migrator and with
 * everybody else locked out of the tables. Users, password hashes, sessions, keys, links and factors stay as they are.
 *
 * @throws SchemaError `nothing_to_adopt`, `adoption_blocked`.
 */
export async function adopt(database: Database, log: Log, options: AdoptOptions = {}): Promise<Adoption> {
  const migrations = await readMigrations();
  const convert = async (tx: Transaction): Promise<Adoption> => {
    await ledgerStore.lock(tx, database.schema);
    const generation = await adoptable(tx, database.schema);
    const want = await wantedShape(tx, migrations);
    const report = await reportOf(tx, generation, await describeSchema(tx, database.schema), want);
    if (report.blocking.length > 0) {
      throw new SchemaError(
        "adoption_blocked",
        `The tables cannot be adopted: ${report.blocking.join("; ")}.`,
      );
    }
    await conversionStore.lockTables(tx, required);
    await conversionStore.prepare(tx, generation);
    const plan = reconcile(await describeSchema(tx, database.schema), want);
    await runAll(tx, plan.release);
    await runAll(tx, plan.extend);
    await conversionStore.fill(tx);
    await runAll(tx, plan.settle);
    await ledgerStore.create(tx);
    for (const migration of migrations) await ledgerStore.add(tx, migration, true);
    return { generation, baseline: migrations };
  };
  if (options.rehearse === true) return undone(database, convert);
  const adoption = await database.transaction(convert, { timeoutMs: adoptionTimeoutMs });
  log.info({ generation: adoption.generation }, "database adopted");
  return adoption;
}

async function undone<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  try {
    return await database.transaction(
      async (tx) => {
        throw new Undo(await work(tx));
      },
      { timeoutMs: adoptionTimeoutMs },
    );
  } catch (error) {
    if (error instanceof Undo) return error.value;
    throw error;
  }
}

async function adoptable(tx: Transaction, schema: string): Promise<Generation> {
  if (await ledgerStore.hasTable(tx, schema, ledgerTable)) {
    throw new SchemaError("nothing_to_adopt", "The schema is already this server's own.");
  }
  const generation = await detectGeneration(tx, schema);
  if (generation === "none") {
    throw new SchemaError("nothing_to_adopt", `The schema ${schema} holds no tables of a contract server.`);
  }
  return generation;
}

/** Makes the tables in a schema of their own, looks at them and removes them again. */
async function wantedShape(tx: Transaction, migrations: readonly Migration[]): Promise<SchemaShape> {
  const schema = `authkit_shape_${randomBytes(6).toString("hex")}`;
  const quoted = quoteSchema(schema);
  const run = (text: string) => tx.run(script("schema.shape", () => text));
  await run(`CREATE SCHEMA ${quoted}`);
  for (const migration of migrations) {
    await run(renderMigration(migration, quoted).replaceAll(/\bCONCURRENTLY\b/g, ""));
  }
  const shape = await describeSchema(tx, schema);
  await run(`SET LOCAL client_min_messages = error; DROP SCHEMA ${quoted} CASCADE`);
  return shape;
}

async function runAll(tx: Transaction, statements: readonly string[]): Promise<void> {
  for (const text of statements) {
    await tx.run(script("schema.convert", (s) => text.replaceAll("{{schema}}", s)));
  }
}

async function reportOf(
  tx: Transaction,
  generation: Generation,
  have: SchemaShape,
  want: SchemaShape,
): Promise<AdoptionReport> {
  const present = new Set(have.tables.map(({ name }) => name));
  const wanted = new Set(want.tables.map(({ name }) => name));
  const missing = required.filter((name) => !present.has(name));
  const unknown = have.columns.filter(
    ({ table, name }) =>
      wanted.has(table) && !want.columns.some((column) => column.table === table && column.name === name),
  );
  const complete = missing.length === 0;
  const duplicateEmails = complete ? await conversionStore.duplicateEmails(tx) : 0;
  const badRoles = complete ? await conversionStore.badInviteRoles(tx) : 0;
  const demanding = unknown.filter(
    (column) => column.required && column.default === null && !column.identity,
  );
  const blocking = [
    ...(generation === "unknown" ? ["they are of neither generation of the contract"] : []),
    ...(complete ? [] : [`tables are missing: ${missing.join(", ")}`]),
    ...(duplicateEmails > 0 ? [`${duplicateEmails} e-mail addresses belong to more than one user`] : []),
    ...(badRoles > 0 ? [`${badRoles} membership invites have a malformed role`] : []),
    ...demanding.map(
      ({ table, name }) => `the unknown column ${table}.${name} demands a value and has no default`,
    ),
  ];
  return {
    generation,
    rows: await conversionStore.rowCounts(
      tx,
      have.tables.map(({ name }) => name).filter((name) => wanted.has(name)),
    ),
    unknownTables: [...present].filter((name) => !wanted.has(name) && name !== "owner_reserved_names"),
    unknownColumns: unknown.map(({ table, name }) => `${table}.${name}`),
    unknownHashes: complete
      ? (await conversionStore.hashAlgorithms(tx)).filter(
          ({ algorithm }) => !knownAlgorithms.includes(algorithm),
        )
      : [],
    duplicateEmails,
    manyRoles: complete ? await conversionStore.manyRoles(tx) : 0,
    reservedNames: present.has("owner_reserved_names") ? await conversionStore.reservedNames(tx) : [],
    dropped: reconcile(have, want).dropped,
    blocking,
  };
}
