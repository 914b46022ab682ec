import type { ColumnShape, ConstraintShape, IndexShape, SchemaShape } from "./catalog-store.ts";

/** DDL that turns one shape into another, in the order it must run; data steps of the caller fit between the parts. */
export interface Reconciliation {
  /** Triggers and functions that go, before any data are touched. */
  readonly release: readonly string[];
  /** New tables and columns. */
  readonly extend: readonly string[];
  /** Constraints and indexes replaced, types, defaults and names settled, functions and triggers made. */
  readonly settle: readonly string[];
  /** For the report: constraints and indexes that disappear. */
  readonly dropped: readonly string[];
}

const table = (name: string) => `{{schema}}.${quote(name)}`;

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/**
 * Plans how `have` becomes `want`. Definitions are compared, not names, so an equal constraint or index is renamed rather
 * than rebuilt. What `want` does not know stays when it is a table, a column, a foreign key, or an index over an unknown
 * column; other rules and indexes over known tables go, since they may forbid what `want` allows.
 */
export function reconcile(have: SchemaShape, want: SchemaShape): Reconciliation {
  const known = new Set(want.tables.map(({ name }) => name));
  const present = new Set(have.tables.map(({ name }) => name));
  const constraints = reconcileConstraints(have, want, known);
  const indexes = reconcileIndexes(have, want, known);
  return {
    release: [
      ...have.triggers
        .filter((old) => want.triggers.some(({ table: on, name }) => on === old.table && name === old.name))
        .map(({ name, table: on }) => `DROP TRIGGER ${quote(name)} ON ${table(on)}`),
      ...want.functions
        .filter(({ name }) => have.functions.some((fn) => fn.name === name))
        .map(({ name }) => `DROP FUNCTION {{schema}}.${quote(name)}`),
    ],
    extend: [...newTables(want, present), ...newColumns(have, want, present)],
    settle: [
      ...constraints.drop,
      ...indexes.drop,
      ...settleColumns(have, want, present),
      ...settleOptions(have, want),
      ...constraints.make,
      ...indexes.make,
      ...want.functions.map(({ definition }) => definition),
      ...want.triggers.map(({ definition }) => definition),
    ],
    dropped: [...constraints.dropped, ...indexes.dropped],
  };
}

function newTables(want: SchemaShape, present: ReadonlySet<string>): string[] {
  return want.tables
    .filter(({ name }) => !present.has(name))
    .map(({ name, unlogged, options }) => {
      const columns = want.columns.filter((column) => column.table === name).map(columnDefinition);
      const storage = options.length === 0 ? "" : ` WITH (${options.join(", ")})`;
      return `CREATE ${unlogged ? "UNLOGGED " : ""}TABLE ${table(name)} (${columns.join(", ")})${storage}`;
    });
}

function newColumns(have: SchemaShape, want: SchemaShape, present: ReadonlySet<string>): string[] {
  return want.columns
    .filter((column) => present.has(column.table) && find(have, column) === undefined)
    .map((column) => `ALTER TABLE ${table(column.table)} ADD COLUMN ${columnDefinition(column)}`);
}

function columnDefinition(column: ColumnShape): string {
  const parts = [quote(column.name), column.type];
  if (column.identity) parts.push("GENERATED ALWAYS AS IDENTITY");
  else if (column.generated) parts.push(`GENERATED ALWAYS AS (${column.default}) STORED`);
  else if (column.default !== null) parts.push(`DEFAULT ${column.default}`);
  if (column.required) parts.push("NOT NULL");
  return parts.join(" ");
}

function find(shape: SchemaShape, column: ColumnShape): ColumnShape | undefined {
  return shape.columns.find(({ table: on, name }) => on === column.table && name === column.name);
}

function settleColumns(have: SchemaShape, want: SchemaShape, present: ReadonlySet<string>): string[] {
  return want.columns.flatMap((column) => {
    const old = find(have, column);
    if (old === undefined || !present.has(column.table) || column.generated || column.identity) return [];
    const alter = `ALTER TABLE ${table(column.table)} ALTER COLUMN ${quote(column.name)}`;
    const steps: string[] = [];
    if (old.type !== column.type) {
      steps.push(`${alter} TYPE ${column.type} USING ${quote(column.name)}::${column.type}`);
    }
    if (old.default !== column.default) {
      steps.push(
        column.default === null ? `${alter} DROP DEFAULT` : `${alter} SET DEFAULT ${column.default}`,
      );
    }
    if (old.required !== column.required) steps.push(`${alter} ${column.required ? "SET" : "DROP"} NOT NULL`);
    return steps;
  });
}

function settleOptions(have: SchemaShape, want: SchemaShape): string[] {
  return want.tables.flatMap(({ name, options }) => {
    const old = have.tables.find((candidate) => candidate.name === name);
    if (old === undefined || options.every((option) => old.options.includes(option))) return [];
    return [`ALTER TABLE ${table(name)} SET (${options.join(", ")})`];
  });
}

interface Replacement {
  readonly drop: string[];
  readonly make: string[];
  readonly dropped: string[];
}

function reconcileConstraints(have: SchemaShape, want: SchemaShape, known: ReadonlySet<string>): Replacement {
  const same = (a: ConstraintShape, b: ConstraintShape) =>
    a.table === b.table && a.definition === b.definition;
  const obsolete = have.constraints.filter(
    (old) =>
      known.has(old.table) &&
      !want.constraints.some((next) => same(old, next)) &&
      (old.kind !== "f" ||
        want.constraints.some((next) => next.table === old.table && next.name === old.name)),
  );
  const make = want.constraints.flatMap((next) => {
    const old = have.constraints.find((candidate) => same(candidate, next));
    const alter = `ALTER TABLE ${table(next.table)}`;
    if (old === undefined) return [`${alter} ADD CONSTRAINT ${quote(next.name)} ${next.definition}`];
    return old.name === next.name
      ? []
      : [`${alter} RENAME CONSTRAINT ${quote(old.name)} TO ${quote(next.name)}`];
  });
  // Names are set free before they are taken, and foreign keys need the unique constraints they point at.
  const order = (statement: string) =>
    statement.includes(" RENAME CONSTRAINT ") ? 0 : statement.includes("FOREIGN KEY") ? 2 : 1;
  return {
    drop: obsolete
      .toSorted((a, b) => Number(b.kind === "f") - Number(a.kind === "f"))
      .map(({ table: on, name }) => `ALTER TABLE ${table(on)} DROP CONSTRAINT ${quote(name)}`),
    make: make.toSorted((a, b) => order(a) - order(b)),
    dropped: obsolete.map(({ table: on, name, definition }) => `${on}: ${name} ${definition}`),
  };
}

function reconcileIndexes(have: SchemaShape, want: SchemaShape, known: ReadonlySet<string>): Replacement {
  const same = (a: IndexShape, b: IndexShape) => a.table === b.table && a.definition === b.definition;
  const knownColumn = (on: string, name: string) =>
    want.columns.some((column) => column.table === on && column.name === name);
  const obsolete = have.indexes.filter(
    (old) =>
      known.has(old.table) &&
      !want.indexes.some((next) => same(old, next)) &&
      old.columns.every((column) => knownColumn(old.table, column)),
  );
  const order = (statement: string) => Number(statement.startsWith("CREATE"));
  const make = want.indexes.flatMap((next) => {
    const old = have.indexes.find((candidate) => same(candidate, next));
    if (old === undefined) return [next.definition.replace(" INDEX ON", ` INDEX ${quote(next.name)} ON`)];
    return old.name === next.name
      ? []
      : [`ALTER INDEX {{schema}}.${quote(old.name)} RENAME TO ${quote(next.name)}`];
  });
  return {
    drop: obsolete.map(({ name }) => `DROP INDEX {{schema}}.${quote(name)}`),
    make: make.toSorted((a, b) => order(a) - order(b)),
    dropped: obsolete.map(({ table: on, name, definition }) => `${on}: ${name} ${definition}`),
  };
}
