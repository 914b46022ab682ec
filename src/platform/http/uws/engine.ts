import type { Log } from "../../log/port.ts";
import type { HttpEngine, HttpEngineLimits } from "../engine.ts";
import { completeLimits } from "../limits.ts";
import { listenUws } from "./listener.ts";
import { loadNative } from "./load.ts";

/** The engine on uWebSockets.js. Throws `EngineUnavailable` where it cannot be loaded. */
export function createUwsEngine(limits: HttpEngineLimits, log: Log, stateDirectory?: string): HttpEngine {
  const complete = completeLimits(limits);
  const native = loadNative(complete.maxHeaderBytes, stateDirectory);
  return { name: "uws", listen: (options, handler) => listenUws(native, complete, options, handler, log) };
}
