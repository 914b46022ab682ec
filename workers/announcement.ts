import type { Config } from "../src/config/config.ts";
import type { Log } from "../src/platform/log/port.ts";
import type { Served } from "./supervision/messages.ts";

export interface StartFacts {
  readonly served: Served | undefined;
  readonly startMs: number;
  readonly embedded: boolean;
}

/** The start-up text for a person at a terminal: where it serves, and three calls that work as they stand. */
function welcome(config: Config, url: string, token: string | undefined): string {
  const api = `${url}${config.apiPrefix}`;
  const lines = [
    "",
    `  authkit-server serves ${url}`,
    "",
    `  issuer            ${config.issuer}`,
    `  JWKS              ${url}/.well-known/jwks.json`,
    `  management token  ${token ?? (config.management.open ? "none needed (AUTHKIT_MGMT_OPEN)" : "management API is not mounted")}`,
    "",
    "  Try:",
    `    curl -s ${url}/.well-known/jwks.json`,
    `    curl -s ${api}/register -d '{"identifier":"ana@example.com","username":"ana_r","password":"correct horse battery"}'`,
    `    curl -s ${url}/v1/call/AdminCountUsers -X POST${token === undefined ? "" : ` -H 'Authorization: Bearer ${token}'`}`,
    "",
  ];
  return lines.join("\n");
}

/** Says that the cluster serves: one log line, and in development the welcome with the development management token. */
export function announce(config: Config, facts: StartFacts, log: Log): void {
  const port = facts.served?.port ?? config.server.listen.port;
  log.info(
    {
      port,
      engine: facts.served?.engine,
      issuer: config.issuer,
      environment: config.environment.name,
      http_workers: config.server.httpWorkers,
      management: config.management.open ? "open" : config.management.tokens.length > 0 ? "token" : "off",
      start_ms: Math.round(facts.startMs),
    },
    "serving",
  );
  if (config.environment.class !== "development") return;
  const host = config.server.listen.host;
  const shown = host === undefined || host === "0.0.0.0" || host === "::" ? "localhost" : host;
  process.stdout.write(
    `${welcome(config, `http://${shown.includes(":") ? `[${shown}]` : shown}:${port}`, config.management.tokens[0])}\n`,
  );
}
