import type { Log } from "../../log/port.ts";
import type { HttpEngine, HttpEngineLimits } from "../engine.ts";
import { completeLimits } from "../limits.ts";
import { listenNode } from "./listener.ts";

/** The engine on node:http, for systems where uWebSockets.js has no binary. */
export function createNodeEngine(limits: HttpEngineLimits, log: Log): HttpEngine {
  const complete = completeLimits(limits);
  return { name: "node", listen: (options, handler) => listenNode(complete, options, handler, log) };
}
