import { type Queryable, script, sql } from "../../platform/postgres/port.ts";

export interface TableShape {
  readonly name: string;
  readonly unlogged: boolean;
  readonly options: readonly string[];
}

export interface ColumnShape {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default: string | null;
  /** `GENERATED ALWAYS AS (…) STORED`. */
  readonly generated: boolean;
  readonly identity: boolean;
}

export interface ConstraintShape {
  readonly table: string;
  readonly name: string;
  /** `p` primary key, `u` unique, `c` check, `f` foreign key, `x` exclusion. */
  readonly kind: string;
  readonly definition: string;
}

export interface IndexShape {
  readonly table: string;
  readonly name: string;
  /** Without the index's own name. */
  readonly definition: string;
  readonly columns: readonly string[];
}

export interface NamedDefinition {
  readonly name: string;
  readonly table: string;
  readonly definition: string;
}

/** A schema as the catalog describes it; the schema's own name is written `{{schema}}` in all definitions. */
export interface SchemaShape {
  readonly tables: readonly TableShape[];
  readonly columns: readonly ColumnShape[];
  readonly constraints: readonly ConstraintShape[];
  readonly indexes: readonly IndexShape[];
  readonly triggers: readonly NamedDefinition[];
  readonly functions: readonly NamedDefinition[];
}

/** With nothing on the path, the catalog's functions qualify every name. */
const clearPath = script("schema.clearSearchPath", () => "SET LOCAL search_path = pg_catalog");

const describe = sql(
  "schema.describe",
  () => `
  WITH home AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
  tables AS (SELECT c.* FROM pg_catalog.pg_class AS c JOIN home ON home.oid = c.relnamespace WHERE c.relkind IN ('r', 'p'))
  SELECT pg_catalog.quote_ident($1) AS home,
    coalesce((SELECT json_agg(json_build_object('name', relname, 'unlogged', relpersistence = 'u',
        'options', coalesce(to_json(reloptions), '[]')) ORDER BY relname) FROM tables), '[]') AS tables,
    coalesce((SELECT json_agg(json_build_object('table', t.relname, 'name', a.attname,
        'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'required', a.attnotnull,
        'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid), 'generated', a.attgenerated <> '',
        'identity', a.attidentity <> '') ORDER BY t.relname, a.attnum)
      FROM tables AS t
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum), '[]') AS columns,
    coalesce((SELECT json_agg(json_build_object('table', t.relname, 'name', c.conname, 'kind', c.contype,
        'definition', pg_catalog.pg_get_constraintdef(c.oid)) ORDER BY t.relname, c.conname)
      FROM tables AS t
      JOIN pg_catalog.pg_constraint AS c ON c.conrelid = t.oid AND c.contype IN ('p', 'u', 'c', 'f', 'x')), '[]') AS constraints,
    coalesce((SELECT json_agg(json_build_object('table', t.relname, 'name', i.relname,
        'definition', pg_catalog.pg_get_indexdef(i.oid),
        'columns', (SELECT coalesce(json_agg(a.attname), '[]') FROM pg_catalog.pg_depend AS p
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid
          WHERE p.classid = 'pg_catalog.pg_class'::regclass AND p.objid = i.oid AND p.refobjid = t.oid AND p.refobjsubid > 0))
        ORDER BY t.relname, i.relname)
      FROM tables AS t
      JOIN pg_catalog.pg_index AS x ON x.indrelid = t.oid
      JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
      WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))),
      '[]') AS indexes,
    coalesce((SELECT json_agg(json_build_object('table', t.relname, 'name', g.tgname,
        'definition', pg_catalog.pg_get_triggerdef(g.oid)) ORDER BY t.relname, g.tgname)
      FROM tables AS t JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = t.oid AND NOT g.tgisinternal), '[]') AS triggers,
    coalesce((SELECT json_agg(json_build_object('table', '', 'name', f.proname,
        'definition', pg_catalog.pg_get_functiondef(f.oid)) ORDER BY f.proname)
      FROM pg_catalog.pg_proc AS f JOIN home ON home.oid = f.pronamespace WHERE f.prokind = 'f'), '[]') AS functions`,
);

/** Reads the shape of a schema. Changes the transaction's `search_path`, hence only within one. */
export async function describeSchema(on: Queryable, schema: string): Promise<SchemaShape> {
  await on.run(clearPath);
  const found = await on.row<SchemaShape & { readonly home: string }>(describe, [schema]);
  if (found === undefined) throw new Error("the catalog did not answer");
  const { home, tables, columns, constraints, indexes, triggers, functions } = found;
  const neutral = neutraliser(home);
  return {
    tables: tables.filter(({ name }) => name !== "schema_migrations"),
    columns: columns
      .filter(({ table }) => table !== "schema_migrations")
      .map((column) => ({ ...column, default: column.default === null ? null : neutral(column.default) })),
    constraints: constraints
      .filter(({ table }) => table !== "schema_migrations")
      .map((constraint) => ({ ...constraint, definition: neutral(constraint.definition) })),
    indexes: indexes.map((index) => ({ ...index, definition: neutral(withoutName(index.definition)) })),
    triggers: triggers.map((trigger) => ({ ...trigger, definition: neutral(trigger.definition) })),
    functions: functions.map((fn) => ({ ...fn, definition: neutral(fn.definition) })),
  };
}

function neutraliser(quoted: string): (text: string) => string {
  const bare = quoted.replaceAll('"', "");
  const spelled = new RegExp(`(?<![\\w"])(?:"${bare}"|${bare})\\.`, "g");
  return (text) => text.replaceAll(spelled, "{{schema}}.");
}

/** `CREATE INDEX name ON …` → `CREATE INDEX ON …`, which makes two names comparable and lets the server choose one. */
function withoutName(definition: string): string {
  return definition.replace(/^(CREATE (?:UNIQUE )?INDEX) (?:"[^"]+"|\S+) ON/, "$1 ON");
}
