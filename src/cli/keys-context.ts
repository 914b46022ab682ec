import type { Config } from "../config/config.ts";
import type { Bus } from "../platform/bus/port.ts";
import type { Log } from "../platform/log/port.ts";
import type { Database } from "../platform/postgres/port.ts";

/** Connections for commands on the managed keyring. */
export interface KeyringConnections {
  readonly database: Database;
  /** Tells running servers at once; without it they notice within a minute. */
  readonly bus: Bus | undefined;
  close(): Promise<void>;
}

export interface KeysContext {
  /** Loads the configuration; not called for `generate`, which comes before there is one. */
  readonly config: () => Config;
  readonly log: Log;
  /** Prints one line of the answer. */
  readonly print: (line: string) => void;
  /** Connects to PostgreSQL and the bus; called only when a command needs them. */
  readonly connect: (config: Config) => Promise<KeyringConnections>;
}
