import { parseArgs } from "node:util";
import { readManifest, systemContext } from "../../../workers/bootstrap.ts";
import { startEmbedded } from "../../../workers/embedded.ts";
import { type Config, loadProcessConfig } from "../../config/index.ts";
import { createServerCodec } from "../../contract/codec/index.ts";
import { methods } from "../../contract/methods/index.ts";
import type { BootstrapResult } from "../../core/bootstrap/index.ts";
import { createLog } from "../../platform/log/pino.ts";

const usage = `Usage: authkit-server bootstrap apply|diff [options]

  apply             Brings the database into line with a manifest and prints what was done as JSON.
  diff              Prints what apply would change, one line each; exit code 3 when there is something.

  -f, --file <path> The manifest, YAML or JSON. Default: AUTHKIT_BOOTSTRAP_PATH, else /etc/authkit/bootstrap.yaml.
  --dry-run         Checks the manifest and counts what it lists, without looking into the database.
  --startup-only    Applies it at most once for each name, and only to a database without accounts.
  --name <name>     The name it is remembered under (default: default).`;

const defaultPath = "/etc/authkit/bootstrap.yaml";
const differenceCode = 3;

interface Parsed {
  readonly action: "apply" | "diff";
  readonly file: string | undefined;
  readonly dryRun: boolean;
  readonly startupOnly: boolean;
  readonly name: string;
}

function parse(args: readonly string[]): Parsed | "help" | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        file: { type: "string", short: "f" },
        "dry-run": { type: "boolean", default: false },
        "startup-only": { type: "boolean", default: false },
        name: { type: "string", default: "default" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return "help";
    const [action, ...more] = positionals;
    if ((action !== "apply" && action !== "diff") || more.length > 0) return undefined;
    return {
      action,
      file: values.file,
      dryRun: values["dry-run"],
      startupOnly: values["startup-only"],
      name: values.name,
    };
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The result as a call over the wire would answer it. */
function asJson(result: BootstrapResult, config: Config): string {
  const { encodeResult } = createServerCodec(config.contract)(methods.applyBootstrapManifest);
  const body: unknown = JSON.parse(encodeResult(result));
  return JSON.stringify(Reflect.get(Object(body), "result"), undefined, 2);
}

/** `authkit-server bootstrap …`. Returns the exit code: 0 done, 2 wrong use, 3 there are differences. */
export async function bootstrapCommand(
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
  const manifest = await readManifest(parsed.file ?? config.bootstrap.path ?? defaultPath);
  const log = createLog(
    { ...config.log, level: "warn" },
    { worker: "bootstrap", write: (line) => process.stderr.write(line) },
  );
  const server = await startEmbedded({ config, log, name: "bootstrap", poolMax: 2 });
  try {
    const { bootstrap } = server.core;
    const context = systemContext(config.languages.default, "bootstrap");
    if (parsed.action === "apply") {
      print(asJson(await bootstrap.apply(manifest, parsed, context), config));
      return 0;
    }
    const changes = await bootstrap.diff(manifest, context);
    if (changes.length === 0) print("nothing to change");
    for (const change of changes) print(change);
    return changes.length === 0 ? 0 : differenceCode;
  } finally {
    await server.close();
  }
}
