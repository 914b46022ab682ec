import { parseArgs } from "node:util";
import { systemContext } from "../../../workers/bootstrap.ts";
import { startEmbedded } from "../../../workers/embedded.ts";
import { loadProcessConfig } from "../../config/index.ts";
import { createLog } from "../../platform/log/pino.ts";
import { importFile } from "../transfer/import-file.ts";
import { formatOf, type TransferFormat } from "../transfer/records.ts";

const usage = `Usage: authkit-server import [options] <file>

Creates accounts from a file: NDJSON (one JSON object a line) or CSV (with a header). Members: username, email,
email_verified, phone_number, phone_verified, password_hash, hash_algo, hash_params, metadata, banned_at, banned_until,
ban_reason, banned_by, created_at, updated_at. Names that are taken are skipped; nothing existing is changed. Run again
with the same file, it continues where it stopped.

  --format ndjson|csv   Default: by the file's name.
  --batch <n>           Accounts a transaction, 1 to 10000 (default 2000).
  --refused <path>      List of records that were skipped or rejected, with reasons (default: <file>.refused.ndjson).
  --restart             Begins at the start of the file again.

Exit code: 0 everything imported, 1 failed, 2 wrong use, 3 some records were skipped or rejected.`;

const incompleteCode = 3;
const maxBatch = 10_000;

interface Parsed {
  readonly path: string;
  readonly format: TransferFormat;
  readonly batchSize: number;
  readonly refusals: string;
  readonly restart: boolean;
}

function parse(args: readonly string[]): Parsed | "help" | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        format: { type: "string" },
        batch: { type: "string", default: "2000" },
        refused: { type: "string" },
        restart: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return "help";
    const [path, ...more] = positionals;
    const batchSize = Number(values.batch);
    if (path === undefined || more.length > 0) return undefined;
    const format = values.format ?? formatOf(path);
    if (format !== "ndjson" && format !== "csv") return undefined;
    if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > maxBatch) return undefined;
    return {
      path,
      format,
      batchSize,
      refusals: values.refused ?? `${path}.refused.ndjson`,
      restart: values.restart,
    };
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** `authkit-server import …`. */
export async function importCommand(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<number> {
  const parsed = parse(args);
  if (parsed === undefined || parsed === "help") {
    print(usage);
    return parsed === undefined ? 2 : 0;
  }
  const { config } = loadProcessConfig(environment);
  const log = createLog(
    { ...config.log, level: "warn" },
    { worker: "import", write: (line) => process.stderr.write(line) },
  );
  const server = await startEmbedded({ config, log, name: "import", poolMax: 2 });
  try {
    const context = { ...systemContext(config.languages.default, "import"), actor: "operator" };
    const { transfers } = server.core;
    const done = await importFile(transfers, { ...parsed, output: process.stderr }, context);
    print(`${done.inserted} inserted, ${done.skipped} skipped, ${done.rejected} rejected`);
    if (done.skipped + done.rejected === 0) return 0;
    print(`the records that were not imported, and why: ${parsed.refusals}`);
    return incompleteCode;
  } finally {
    await server.close();
  }
}
