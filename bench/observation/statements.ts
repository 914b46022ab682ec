import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { root } from "../services.ts";

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

/** Words of a statement that neither schema nor constants change. */
function words(text: string): ReadonlySet<string> {
  const plain = text.replace(/\$\{[^}]*\}|'[^']*'|\/\*.*?\*\//g, " ").toLowerCase();
  return new Set(plain.match(/[a-z_]{2,}/g) ?? []);
}

function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const both = [...one].filter((word) => other.has(word)).length;
  return both / (one.size + other.size - both);
}

/** The declared statements and their words, as they stand in the source. */
function declared(): readonly (readonly [string, ReadonlySet<string>])[] {
  const declaration =
    /(?:sql|lookup|script)\(\s*"([\w.]+)",\s*\(?\w*\)? =>\s*(?:\{[\s\S]*?return )?`([\s\S]*?)`,?\s*\)/g;
  return globSync("src/**/*.ts", { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(declaration)].map(
      ([, name = "", text = ""]) => [name, words(text)] as const,
    ),
  );
}

/** The least likeness that makes a statement the declared one: parts of some are put in by functions. */
const sameFrom = 0.5;

/** Finds the name of a statement the database tells. */
export function statementNames(): (text: string) => string {
  const known = declared();
  return (text) => {
    if (/\bpgboss|authkit_jobs/.test(text)) return `jobs: ${text.trim().slice(0, 30).replace(/\s+/g, " ")}`;
    const asked = words(text);
    const [name, score] = known
      .map(([candidate, its]) => [candidate, likeness(asked, its)] as const)
      .reduce((best, one) => (one[1] > best[1] ? one : best), ["", 0]);
    return score >= sameFrom ? name : text.trim().slice(0, 40).replace(/\s+/g, " ");
  };
}

/** Reads `pg_stat_statements`, which the server must have loaded. */
export async function openStatementMeter(databaseUrl: string): Promise<StatementMeter> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
  const nameOf = statementNames();
  return {
    async reset() {
      await client.query("SELECT pg_stat_statements_reset()");
    },
    async read() {
      const { rows } = await client.query<{ query: string; calls: number; total: number }>(`
        SELECT query, calls::float8 AS calls, total_exec_time AS total FROM pg_stat_statements
        WHERE query NOT LIKE '%pg_stat_statements%' ORDER BY total_exec_time DESC`);
      return {
        top: rows.slice(0, shown).map(({ query, calls, total }) => ({
          name: nameOf(query),
          calls,
          totalMs: total,
        })),
        totalMs: rows.reduce((sum, { total }) => sum + total, 0),
      };
    },
    close: () => client.end(),
  };
}
