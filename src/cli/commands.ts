import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadDatabaseConfig, loadProcessConfig } from "../config/index.ts";
import { installation } from "../platform/installation.ts";
import { createLog } from "../platform/log/pino.ts";
import { createMetrics } from "../platform/metrics/prometheus.ts";

export interface Command {
  readonly summary: string;
  /** Resolves with the exit code. */
  run(args: readonly string[]): Promise<number>;
}

const print = (line: string): void => console.log(line);

/** Configuration, log and metrics of a command that works on the database; its log goes to standard error. */
function tools() {
  const { config, warnings } = loadDatabaseConfig(process.env);
  const log = createLog(config.log, { worker: "cli", write: (line) => process.stderr.write(line) });
  for (const warning of warnings) log.warn({}, warning);
  return { config, log, metrics: createMetrics("cli"), print };
}

/** Commands by name. Each loads its code when it runs, so that none slows another's start. */
export const commands: Readonly<Record<string, Command>> = {
  serve: {
    summary: "Run the server (the default).",
    run: async () => (await import("../../workers/primary.ts")).runPrimary(process.env),
  },
  migrate: {
    summary: "Create or upgrade the database schema; take over a contract server's database.",
    async run(args) {
      const { migrateCommand } = await import("./migrate.ts");
      const { migrateQueues } = await import("../../workers/database-preparation.ts");
      const { config, log, metrics } = tools();
      return migrateCommand(args, config, {
        log,
        metrics,
        print,
        finish: (resolved) => migrateQueues(resolved, log),
      });
    },
  },
  bootstrap: {
    summary: "Apply a manifest of accounts, applications and roles, or show what it would change.",
    run: async (args) => (await import("./commands/bootstrap.ts")).bootstrapCommand(args, process.env, print),
  },
  prepare: {
    summary: "Complete an installation with what a server that may not write there could not make.",
    run: async (args) => (await import("./commands/prepare.ts")).prepareCommand(args, print),
  },
  doctor: {
    summary: "Check configuration, stores, keys, senders and machine, and say what to do.",
    run: async (args) => (await import("./commands/doctor.ts")).doctorCommand(args, process.env, print),
  },
  import: {
    summary: "Create accounts from an NDJSON or CSV file; continues where it stopped.",
    run: async (args) => (await import("./commands/import.ts")).importCommand(args, process.env, print),
  },
  export: {
    summary: "Write all accounts to a file that import reads.",
    run: async (args) => (await import("./commands/export.ts")).exportCommand(args, process.env, print),
  },
  config: {
    summary: "Check or print the configuration, print its schema or its reference.",
    run: async (args) => (await import("./config.ts")).configCommand(args, process.env),
  },
  keys: {
    summary:
      "Make a signing key, list the keys in use, rotate the managed keyring, seal stored secrets anew.",
    async run(args) {
      const { keysCommand } = await import("./keys.ts");
      const { connectKeyring } = await import("./keyring-connections.ts");
      const log = createLog(
        { level: "warn", pretty: false },
        { worker: "cli", write: (line) => process.stderr.write(line) },
      );
      return keysCommand(args, {
        config: () => loadProcessConfig(process.env).config,
        log,
        print,
        connect: (config) => connectKeyring(config, log, createMetrics("cli")),
      });
    },
  },
  healthcheck: {
    summary: "Ask the server of this machine whether it is ready.",
    run: async (args) =>
      (await import("./commands/healthcheck.ts")).healthcheckCommand(args, process.env, print),
  },
  version: {
    summary: "Print the version of the program and of Node.",
    async run() {
      const description: unknown = JSON.parse(await readFile(join(installation, "package.json"), "utf8"));
      print(
        `authkit-server ${String(Reflect.get(Object(description), "version"))} (Node ${process.versions.node})`,
      );
      return 0;
    },
  },
  hash: {
    summary: "Calibrate password hashing, check a hash, build a breached-password filter.",
    run: async (args) => (await import("./hash.ts")).hashCommand(args),
  },
};
