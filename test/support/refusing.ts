import pg from "pg";

/** Statements of a test's own, one after the other. */
export async function statements(databaseUrl: string, ...texts: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const text of texts) await client.query(text);
  } finally {
    await client.end();
  }
}

/**
 * Lets writes to a table fail while `work` runs, as a defect of the schema would.
 *
 * @param verbs `INSERT OR UPDATE`, say.
 * @param table with its schema.
 * @param when which rows: a condition on `NEW`.
 */
export async function refusing<T>(
  databaseUrl: string,
  verbs: string,
  table: string,
  work: () => Promise<T>,
  when = "true",
): Promise<T> {
  await statements(
    databaseUrl,
    `CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$`,
    `CREATE TRIGGER refuse BEFORE ${verbs} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION public.refuse()`,
  );
  try {
    return await work();
  } finally {
    await statements(databaseUrl, `DROP TRIGGER refuse ON ${table}`);
  }
}

/** Lets every statement that names the table fail while `work` runs. */
export async function without<T>(databaseUrl: string, table: string, work: () => Promise<T>): Promise<T> {
  const [schema = "", name = ""] = table.split(".");
  await statements(databaseUrl, `ALTER TABLE ${table} RENAME TO elsewhere`);
  try {
    return await work();
  } finally {
    await statements(databaseUrl, `ALTER TABLE ${schema}.elsewhere RENAME TO ${name}`);
  }
}
