import { createHash } from "node:crypto";
import type { PreparedText } from "./connection.ts";
import type { Statement } from "./port.ts";

/** A statement's text for one schema. */
export interface Rendered extends PreparedText {
  /** The declared name, for errors and metrics. */
  readonly label: string;
  /** Whether it changes nothing, so that sending it twice is harmless. */
  readonly readOnly: boolean;
  /** Declared as one, see `lookup`. */
  readonly isLookup: boolean;
  /** Several commands in one text. */
  readonly isScript: boolean;
}

const schemaPattern = /^[a-z_][a-z0-9_]*$/;
const maxIdentifierBytes = 63;

/** Whether `name` may be a schema name of a deployment. */
export function isSchemaName(name: string): boolean {
  return schemaPattern.test(name) && name.length <= maxIdentifierBytes;
}

/**
 * The schema name as it goes into statements.
 *
 * @throws Error when it is not `^[a-z_][a-z0-9_]*$` of at most 63 characters.
 */
export function quoteSchema(name: string): string {
  if (!isSchemaName(name))
    throw new Error("The schema name must match ^[a-z_][a-z0-9_]*$ and have at most 63 characters");
  return `"${name}"`;
}

/**
 * Renders each statement once for `schema`; `prepared` = let the server keep them by name. A comment at the end tells its name to
 * `pg_stat_statements` and `pg_stat_activity`: one at the start is not kept since PostgreSQL 18.
 */
export function createRenderer(schema: string, prepared: boolean): (statement: Statement) => Rendered {
  const quoted = quoteSchema(schema);
  const cache = new WeakMap<Statement, Rendered>();
  return (statement) => {
    const known = cache.get(statement);
    if (known !== undefined) return known;
    const text = statement.text(quoted);
    const rendered: Rendered = {
      label: statement.name,
      name: prepared && statement.script !== true ? serverName(statement.name) : undefined,
      text: statement.script === true ? text : `${text}\n/* ${statement.name} */`,
      readOnly: isReadOnly(text),
      isLookup: statement.lookup === true,
      isScript: statement.script === true,
    };
    cache.set(statement, rendered);
    return rendered;
  };
}

/** The server cuts identifiers at 63 bytes, which would make two long names one. */
function serverName(name: string): string {
  if (Buffer.byteLength(name) <= maxIdentifierBytes) return name;
  return createHash("sha256").update(name).digest("hex").slice(0, 40);
}

function isReadOnly(text: string): boolean {
  return (
    /^\s*(?:select|with|values|table|show)\b/i.test(text) &&
    !/\b(?:insert|update|delete|merge|truncate|into|nextval|setval)\b/i.test(text)
  );
}
