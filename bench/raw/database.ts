import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { Queryable, SqlValue, Statement } from "../../src/platform/postgres/port.ts";
import { quoteSchema } from "../../src/platform/postgres/rendering.ts";
import { columnTypes } from "../../src/platform/postgres/values.ts";
import { schema } from "../schema.ts";

export interface RawDatabase extends Queryable {
  close(): Promise<void>;
}

/** The driver with its own pool, as it comes: what statements cost without a server around them. They are prepared, as the server's are. */
export async function openDatabase(url: string, connections: number): Promise<RawDatabase> {
  const pool = new pg.Pool({ connectionString: url, max: connections, types: columnTypes });
  const texts = new Map<Statement, string>();
  const query = async <R extends object>(
    statement: Statement,
    values: readonly SqlValue[] = [],
  ): Promise<pg.QueryResult<R>> => {
    const text = texts.get(statement) ?? statement.text(quoteSchema(schema));
    texts.set(statement, text);
    return pool.query<R>({ name: statement.name, text, values: [...values] });
  };
  const opened = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
  for (const client of opened) client.release();
  await delay(300);
  return {
    rows: async <R extends object>(statement: Statement, values?: readonly SqlValue[]) =>
      (await query<R>(statement, values)).rows,
    row: async <R extends object>(statement: Statement, values?: readonly SqlValue[]) =>
      (await query<R>(statement, values)).rows[0],
    run: async (statement, values) => (await query(statement, values)).rowCount ?? 0,
    close: () => pool.end(),
  };
}

/** Arguments of a raw program, or an explanation of what it wants. */
export function programArguments(usage: string, count: number): readonly string[] {
  const args = process.argv.slice(2);
  if (args.length !== count) throw new Error(`usage: ${usage}`);
  return args;
}
