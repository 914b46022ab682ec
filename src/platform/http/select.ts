import type { Log } from "../log/port.ts";
import type { HttpEngine, HttpEngineLimits } from "./engine.ts";
import { createUwsEngine } from "./uws/engine.ts";
import { EngineUnavailable } from "./uws/load.ts";

/**
 * The engine to serve with. `auto` takes uWebSockets.js and falls back to node:http, with a warning, where no binary of it runs (musl, glibc
 * before 2.36, a Node version without a build). `stateDirectory` may take what the engine must write to be loaded. Throws `EngineUnavailable` when `uws` was asked for and cannot run.
 */
export async function selectHttpEngine(
  choice: "auto" | "uws" | "node",
  limits: HttpEngineLimits,
  log: Log,
  stateDirectory?: string,
): Promise<HttpEngine> {
  if (choice === "node") return nodeEngine(limits, log);
  try {
    return createUwsEngine(limits, log, stateDirectory);
  } catch (error) {
    if (choice === "uws" || !(error instanceof EngineUnavailable)) throw error;
    log.warn(
      { reason: error.message },
      "uWebSockets.js is not available here; serving with node:http, which is slower",
    );
    return nodeEngine(limits, log);
  }
}

/** Loaded where it serves only: importing node:http brings Node's own `fetch` along, 14 MB in each worker. */
async function nodeEngine(limits: HttpEngineLimits, log: Log): Promise<HttpEngine> {
  return (await import("./node/engine.ts")).createNodeEngine(limits, log);
}
