import pg from "pg";

/** What one statement cost the database during a measurement. */
export interface StatementUse {
  /** As declared in a `store.ts`, or the statement's first words. */
  readonly name: string;
  readonly calls: number;
  readonly totalMs: number;
}

export interface StatementMeter {
  /** Forgets what was counted so far. */
  reset(): Promise<void>;
  /** The statements since then, the most expensive first, and what all of them cost. */
  read(): Promise<{ readonly top: readonly StatementUse[]; readonly totalMs: number }>;
  close(): Promise<void>;
}

const shown = 3;

/** Short names for what the job queue's library asks. */
const ofJobs: readonly (readonly [RegExp, string])[] = [
  [/SKIP LOCKED/i, "jobs: fetch"],
  [/INSERT INTO/i, "jobs: enqueue"],
  [/completed/i, "jobs: complete"],
  [/./, "jobs: other"],
];

/** The server writes each statement's name behind it; those of the job queue's library have a digest for one. What has none is told by its first words. */
export function statementName(text: string): string {
  const name = /\/\* ([\w.]+) \*\/\s*$/.exec(text)?.[1];
  if (name?.startsWith("queue.") === true || /\bauthkit_jobs\b/.test(text))
    return ofJobs.find(([pattern]) => pattern.test(text))?.[1] ?? "jobs";
  return name ?? text.trim().replace(/\s+/g, " ").slice(0, 40);
}

/** Reads `pg_stat_statements`, which the server must have loaded. */
export async function openStatementMeter(databaseUrl: string): Promise<StatementMeter> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
  return {
    async reset() {
      await client.query("SELECT pg_stat_statements_reset()");
    },
    async read() {
      const { rows } = await client.query<{ query: string; calls: number; total: number }>(`
        SELECT query, calls::float8 AS calls, total_exec_time AS total FROM pg_stat_statements
        WHERE query NOT LIKE '%pg_stat_statements%'`);
      const byName = new Map<string, { calls: number; totalMs: number }>();
      for (const { query, calls, total } of rows) {
        const name = statementName(query);
        const known = byName.get(name) ?? { calls: 0, totalMs: 0 };
        byName.set(name, { calls: known.calls + calls, totalMs: known.totalMs + total });
      }
      const uses = [...byName].map(([name, use]) => ({ name, ...use }));
      uses.sort((one, other) => other.totalMs - one.totalMs);
      return { top: uses.slice(0, shown), totalMs: uses.reduce((sum, { totalMs }) => sum + totalMs, 0) };
    },
    close: () => client.end(),
  };
}
