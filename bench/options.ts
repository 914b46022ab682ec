import { parseArgs } from "node:util";

/** What a run measures, and how long. */
export interface BenchOptions {
  /** Seconds of load a measurement. */
  readonly duration: number;
  /** Keep-alive connections of light scenarios. */
  readonly connections: number;
  /** Accounts in the database before anything is measured. */
  readonly users: number;
  /** Size of the larger database of the growth scenario; 0 leaves that scenario out. */
  readonly growth: number;
  /** Idle keep-alive connections of the scenario `idle`; 0 leaves it out. */
  readonly idle: number;
  readonly httpWorkers: number;
  readonly hashingWorkers: number;
  /** Value of `AUTHKIT_ARGON2`; undefined = the server's default. */
  readonly argon2: string | undefined;
  /** Flags for the server's Node, to profile it. */
  readonly nodeOptions: string | undefined;
  /** Names of the scenarios to run; empty = all. */
  readonly only: readonly string[];
  /** File for the figures as JSON. */
  readonly json: string | undefined;
}

const usage = `npm run bench -- [options]

  --duration <seconds>    of load a measurement (5)
  --connections <n>       keep-alive connections of light scenarios (32)
  --users <n>             accounts in the database (10000)
  --growth <n>            accounts of the growth scenario's larger database (1000000; 0 leaves it out)
  --idle <n>              idle keep-alive connections (10000; 0 leaves them out)
  --http-workers <n>      (2)
  --hashing-workers <n>   (one a core)
  --argon2 <m=,t=,p=>     hash parameters (the server's default)
  --node-options <flags>  for the server's Node, such as --cpu-prof
  --only <names>          comma-separated scenarios
  --json <file>           writes the figures as JSON too
`;

/** @throws Error naming the option when the text is no whole number from `least` on. */
export function count(text: string, name: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`--${name} wants a whole number from ${least}, not ${JSON.stringify(text)}`);
  }
  return value;
}

/**
 * Options from the command line; undefined when only the usage was asked for.
 *
 * @throws Error naming the option that is wrong.
 */
export function parseOptions(args: readonly string[], cores: number): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h" },
      duration: { type: "string", default: "5" },
      connections: { type: "string", default: "32" },
      users: { type: "string", default: "10000" },
      growth: { type: "string", default: "1000000" },
      idle: { type: "string", default: "10000" },
      "http-workers": { type: "string", default: "2" },
      "hashing-workers": { type: "string", default: String(cores) },
      argon2: { type: "string" },
      "node-options": { type: "string" },
      only: { type: "string", default: "" },
      json: { type: "string" },
    },
  });
  if (values.help === true) {
    console.log(usage);
    return undefined;
  }
  return {
    duration: count(values.duration, "duration", 1),
    connections: count(values.connections, "connections", 1),
    users: count(values.users, "users", 100),
    growth: count(values.growth, "growth", 0),
    idle: count(values.idle, "idle", 0),
    httpWorkers: count(values["http-workers"], "http-workers", 1),
    hashingWorkers: count(values["hashing-workers"], "hashing-workers", 1),
    argon2: values.argon2,
    nodeOptions: values["node-options"],
    only: values.only.split(",").filter((name) => name !== ""),
    json: values.json,
  };
}
