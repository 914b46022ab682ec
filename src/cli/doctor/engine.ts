import type { Config } from "../../config/config.ts";
import { completeLimits } from "../../platform/http/limits.ts";
import { EngineUnavailable, loadNative } from "../../platform/http/uws/load.ts";
import { type Finding, messageOf, ok, problem, warning } from "./finding.ts";

const fix =
  "run `authkit-server prepare` as the owner of the installation, or give the server a writable AUTHKIT_STATE_DIR on a file system that runs programs; it needs glibc 2.36 or later and Node 22 or 24";

/** Which HTTP engine the server would use, and why not the fast one. */
export function checkEngine(
  { server, stateDirectory }: Pick<Config, "server" | "stateDirectory">,
  load: typeof loadNative = loadNative,
): Finding[] {
  if (server.engine === "node") return [ok("HTTP engine: node:http, as AUTHKIT_HTTP_ENGINE asks")];
  try {
    load(completeLimits({}).maxHeaderBytes, stateDirectory);
    return [ok("HTTP engine: uWebSockets.js")];
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    return [
      server.engine === "uws"
        ? problem(`HTTP engine: uWebSockets.js cannot be loaded: ${messageOf(error)}`, fix)
        : warning(`HTTP engine: node:http, which is slower, because ${messageOf(error)}`, fix),
    ];
  }
}
