import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { installation } from "../../platform/installation.ts";
import { SchemaError } from "./errors.ts";

/** One file of `migrations/`. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** SHA-256 of the text, lower-case hex; line endings do not count. */
  readonly digest: string;
  /** False for files that begin with `-- no transaction`: each command commits by itself and must be repeatable. */
  readonly transactional: boolean;
  /** SQL with `{{schema}}` where the quoted schema belongs. */
  readonly text: string;
}

const directory = join(installation, "migrations");
const pattern = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/**
 * Reads the migrations, in order.
 *
 * @throws SchemaError `malformed_migration` for a file whose name or number does not fit.
 */
export async function readMigrations(from: string = directory): Promise<readonly Migration[]> {
  const files = (await readdir(from)).filter((file) => file.endsWith(".sql")).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const match = pattern.exec(file);
      if (match === null || Number(match[1]) !== index + 1) {
        throw new SchemaError(
          "malformed_migration",
          `${file}: expected NNNN_name.sql with number ${index + 1}`,
        );
      }
      const text = (await readFile(join(from, file), "utf8")).replaceAll("\r\n", "\n");
      return {
        version: index + 1,
        name: match[2] ?? "",
        digest: createHash("sha256").update(text).digest("hex"),
        transactional: !/^--\s*no transaction\b/i.test(text),
        text,
      };
    }),
  );
}

/** The SQL for one schema, given as it is to be written. */
export function renderMigration(migration: Migration, quotedSchema: string): string {
  return migration.text.replaceAll("{{schema}}", quotedSchema);
}

/** Commands of a file that runs without a transaction: each ends with a semicolon at the end of a line. */
export function splitCommands(text: string): string[] {
  return text
    .split(/;[ \t]*(?:\n|$)/)
    .map((part) => part.replaceAll(/^\s*--.*$/gm, "").trim())
    .filter((part) => part !== "");
}
