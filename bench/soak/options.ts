import { parseArgs } from "node:util";
import { count } from "../options.ts";

/** How long a soak lasts and what it tolerates. */
export interface SoakOptions {
  readonly minutes: number;
  /** Accounts in the database before the load starts. */
  readonly users: number;
  /** Megabytes a process may grow from the second quarter of the soak to its end. */
  readonly growth: number;
  readonly httpWorkers: number;
  readonly hashingWorkers: number;
  /** Value of `AUTHKIT_ARGON2`; undefined = the server's default. */
  readonly argon2: string | undefined;
  readonly nodeOptions: string | undefined;
}

const usage = `npm run soak -- [options]

  --minutes <n>           of load (10); fractions are accepted
  --users <n>             accounts in the database (5000)
  --growth <MB>           a process may grow from the second quarter to the end (32)
  --http-workers <n>      (2)
  --hashing-workers <n>   (one a core)
  --argon2 <m=,t=,p=>     hash parameters (the server's default)
  --node-options <flags>  for the server's Node, such as --heapsnapshot-signal=SIGUSR2
`;

/** Longer soaks are a matter of repeating this one. */
const mostMinutes = 24 * 60;

/**
 * Options from the command line; undefined when only the usage was asked for.
 *
 * @throws Error naming the option that is wrong.
 */
export function parseSoakOptions(args: readonly string[], cores: number): SoakOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h" },
      minutes: { type: "string", default: "10" },
      users: { type: "string", default: "5000" },
      growth: { type: "string", default: "32" },
      "http-workers": { type: "string", default: "2" },
      "hashing-workers": { type: "string", default: String(cores) },
      argon2: { type: "string" },
      "node-options": { type: "string" },
    },
  });
  if (values.help === true) {
    console.log(usage);
    return undefined;
  }
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= mostMinutes)) {
    throw new Error(`--minutes wants a number up to ${mostMinutes}, not ${JSON.stringify(values.minutes)}`);
  }
  return {
    minutes,
    users: count(values.users, "users", 200),
    growth: count(values.growth, "growth", 1),
    httpWorkers: count(values["http-workers"], "http-workers", 1),
    hashingWorkers: count(values["hashing-workers"], "hashing-workers", 1),
    argon2: values.argon2,
    nodeOptions: values["node-options"],
  };
}
