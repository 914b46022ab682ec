import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { storePreparedCode } from "../../platform/compile-cache.ts";
import { EngineUnavailable, prepareNative } from "../../platform/http/uws/load.ts";
import { openPreparedCode, preparedCode } from "../../platform/prepared-code.ts";

const usage = `Usage: authkit-server prepare

Completes an installation, as its owner and once after each change of it, with what a server that runs as somebody else or on a read-only
file system could not make itself: uWebSockets.js in the form that this machine's C library loads, and compiled code, which halves the
start of every process. Needs no configuration.`;

const project = join(import.meta.dirname, "../../..");

/** Packages that are loaded when they are first needed. */
export const lazyPackages = [
  "@node-rs/argon2",
  "@simplewebauthn/server",
  "@simplewebauthn/server/helpers",
  "openid-client",
  "pg-boss",
];

/** Loads every program of this project: processes, commands, and what they load later. */
async function loadEverything(): Promise<void> {
  const files = globSync(["workers/*.ts", "src/cli/**/*.ts", "src/platform/outbound/agent.ts"], {
    cwd: project,
  });
  for (const file of files) {
    if (file === join("src", "cli", "main.ts")) continue;
    // The entry of workers refuses to run here, and is compiled all the same.
    await import(pathToFileURL(join(project, file)).href).catch((error: unknown) => {
      if (file !== join("workers", "main.ts")) throw error;
    });
  }
  for (const name of lazyPackages) await import(name);
}

/** `authkit-server prepare`. Returns the exit code. */
export async function prepareCommand(
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  if (args.length > 0) {
    print(usage);
    return args.includes("--help") || args.includes("-h") ? 0 : 2;
  }
  try {
    print(prepareNative());
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    print(`uWebSockets.js cannot be used here: ${error.message}; the server falls back to node:http`);
  }
  await loadEverything();
  if (!storePreparedCode()) {
    print(`compiled code cannot be kept in ${preparedCode}: run this as the owner of the installation`);
    return 1;
  }
  openPreparedCode();
  print(`compiled code: ${preparedCode}`);
  return 0;
}
