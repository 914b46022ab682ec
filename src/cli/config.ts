import { fileSchemaText } from "../config/file-schema.ts";
import { ConfigError, formatProblem, loadConfig } from "../config/index.ts";
import { printConfig } from "../config/print.ts";
import { referencePage } from "../config/reference.ts";

const usage = `usage: config <command>

  check    read the configuration of this environment and report every problem and warning
  print    show the effective configuration as YAML, secrets masked
  schema   print the JSON Schema of the YAML file
  docs     print the reference of all settings as Markdown
`;

/** `config check | print | schema | docs`. Resolves to the exit code: 0 fine, 1 the configuration has problems, 2 wrong usage. */
export async function configCommand(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [command, ...rest] = args;
  if (rest.length > 0) return misused(`unexpected argument ${JSON.stringify(rest[0])}`);
  switch (command) {
    case "check":
      return reporting(env, () => "The configuration is valid.\n");
    case "print":
      return reporting(env, printConfig);
    case "schema":
      process.stdout.write(fileSchemaText());
      return 0;
    case "docs":
      process.stdout.write(referencePage());
      return 0;
    case "help":
    case "--help":
      process.stdout.write(usage);
      return 0;
    default:
      return misused(
        command === undefined ? "no command given" : `unknown command ${JSON.stringify(command)}`,
      );
  }
}

function misused(reason: string): number {
  process.stderr.write(`config: ${reason}\n\n${usage}`);
  return 2;
}

function reporting(
  env: NodeJS.ProcessEnv,
  output: (config: ReturnType<typeof loadConfig>["config"]) => string,
): number {
  try {
    const { config, warnings } = loadConfig(env);
    warn(warnings);
    process.stdout.write(output(config));
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    warn(error.warnings);
    process.stderr.write(error.problems.map((problem) => `error: ${formatProblem(problem)}\n`).join(""));
    return 1;
  }
}

function warn(warnings: readonly string[]): void {
  process.stderr.write(warnings.map((warning) => `warning: ${warning}\n`).join(""));
}
