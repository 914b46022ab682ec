import { createHash } from "node:crypto";
import type { Db } from "pg-boss";
import {
  type Queryable,
  type QueryOptions,
  type SqlValue,
  type Statement,
  script,
  sql,
} from "../postgres/port.ts";

/**
 * pg-boss' way to the database, over ours: every host of the DSN, deadlines, lost connections and encryption as everywhere else. Each text is
 * prepared, so this is for those few texts that enqueue.
 */
export function preparedBossDatabase(): (queryable: Queryable) => Db {
  const statements = new Map<string, Statement>();
  const statementFor = (text: string): Statement => {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const made = sql(`queue.${createHash("sha256").update(text).digest("hex").slice(0, 16)}`, () => text);
    statements.set(text, made);
    return made;
  };
  return (queryable) => ({
    async executeSql(text, values = []) {
      return { rows: await queryable.rows(statementFor(text), values.map(bindable)) };
    },
  });
}

/** The same for the side that runs jobs: its texts are many, some of several commands, and some take long. */
export function bossDatabase(queryable: Queryable, options: QueryOptions): Db {
  return {
    async executeSql(text, values = []) {
      return {
        rows: await queryable.rows(
          script("queue.run", () => text),
          values.map(bindable),
          options,
        ),
      };
    },
  };
}

function bindable(value: unknown): SqlValue {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
    case "bigint":
      return value;
    case "object":
      if (value === null || value instanceof Date || Buffer.isBuffer(value)) return value;
      if (Array.isArray(value)) return value.map(bindable);
      return { ...value };
    default:
      return null;
  }
}
