import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { parseArgs } from "node:util";
import { startEmbedded } from "../../../workers/embedded.ts";
import { loadProcessConfig } from "../../config/index.ts";
import { createLog } from "../../platform/log/pino.ts";
import { columns, recordOf, type TransferRecord } from "../transfer/columns.ts";
import { csvLine } from "../transfer/csv.ts";
import { formatOf, type TransferFormat } from "../transfer/records.ts";

const usage = `Usage: authkit-server export [--format ndjson|csv] [<file>]

Writes every account that is not deleted, with its password hash, in the format that import reads; to standard output
when no file is named. The accounts are those of one moment. Keep the file as safe as the database.`;

function line(format: TransferFormat, record: TransferRecord): string {
  if (format === "ndjson") return `${JSON.stringify(Object.fromEntries(record))}\n`;
  return csvLine(
    columns.map((column) => {
      const value = record.get(column);
      if (value === undefined) return "";
      return typeof value === "string" ? value : JSON.stringify(value);
    }),
  );
}

async function writeTo(output: Writable, text: string): Promise<void> {
  if (!output.write(text)) await once(output, "drain");
}

/** `authkit-server export …`. Returns the exit code: 0 done, 2 wrong use. */
export async function exportCommand(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { format: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
  });
  const [path, ...more] = positionals;
  const format = values.format ?? formatOf(path ?? "");
  if (values.help || more.length > 0 || (format !== "ndjson" && format !== "csv")) {
    print(usage);
    return values.help ? 0 : 2;
  }
  const { config } = loadProcessConfig(environment);
  const log = createLog(
    { ...config.log, level: "warn" },
    { worker: "export", write: (entry) => process.stderr.write(entry) },
  );
  const server = await startEmbedded({ config, log, name: "export", poolMax: 2 });
  try {
    // Under its name only when it is whole: half an export must not be taken for all of it.
    const unfinished = path === undefined ? undefined : `${path}.unfinished`;
    const output =
      unfinished === undefined ? process.stdout : createWriteStream(unfinished, { mode: 0o600, flags: "w" });
    if (format === "csv") await writeTo(output, csvLine(columns));
    const count = await server.core.transfers.exportUsers((page) =>
      writeTo(output, page.map((user) => line(format, recordOf(user))).join("")),
    );
    if (path !== undefined && unfinished !== undefined) {
      output.end();
      await finished(output);
      await rename(unfinished, path);
      print(`${count} accounts in ${path}`);
    }
    return 0;
  } finally {
    await server.close();
  }
}
