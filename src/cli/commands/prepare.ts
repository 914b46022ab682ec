import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { storePreparedCode } from "../../platform/compile-cache.ts";
import { EngineUnavailable, prepareNative } from "../../platform/http/uws/load.ts";
import { openPreparedCode, openToReaders, preparedCode } from "../../platform/prepared-code.ts";
import { type Bundle, bundles, currentBundle } from "../../platform/program/bundle.ts";
import { sdkPackage } from "../../platform/tracing/start.ts";

const usage = `Usage: authkit-server prepare

Completes an installation, as its owner and once after each change of it, with what a server that runs as somebody else or on a read-only
file system could not make itself: the program in a few large files, compiled code, and uWebSockets.js in the form that this machine's C
library loads. The first two make every process start in a fraction of the time. Needs no configuration.`;

/** Packages that stay outside the bundle and are loaded when they are first needed. */
export const lazyPackages = ["@node-rs/argon2"];

/** Whether nothing is wrong but that a package is missing which an installation need not have. */
const isLeftOut = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  error.code === "ERR_MODULE_NOT_FOUND" &&
  error.message.includes(sdkPackage);

/** Loads all of the program, so that it is compiled: processes, commands, and what they load later. */
async function loadEverything({ directory, cli, worker }: Bundle): Promise<void> {
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".mjs"))) {
    const path = join(directory, file);
    // This command runs from the one, and the other refuses to run here, and is compiled all the same.
    if (path === cli) continue;
    await import(pathToFileURL(path).href).catch((error: unknown) => {
      if (path !== worker && !isLeftOut(error)) throw error;
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
  // It was made before this line ran, wherever that was possible.
  const bundle = await currentBundle();
  if (bundle === undefined) {
    print(`the program's bundle cannot be kept in ${bundles}: run this as the owner of the installation`);
    return 1;
  }
  openToReaders(bundles);
  print(`bundle: ${bundle.directory}`);
  await loadEverything(bundle);
  if (!storePreparedCode()) {
    print(`compiled code cannot be kept in ${preparedCode}: run this as the owner of the installation`);
    return 1;
  }
  openPreparedCode();
  print(`compiled code: ${preparedCode}`);
  return 0;
}
