import type { DatabaseConfig } from "../config.ts";
import { InvalidDsn, parseDsn } from "../dsn.ts";
import { nearestName } from "../nearest.ts";
import { BadValue, boolean, duration, integer, type ValueType } from "../values.ts";
import type { Input } from "./input.ts";

const knownParameters = [
  ...[
    "pool_max_conns",
    "pool_min_conns",
    "pool_min_idle_conns",
    "pool_max_conn_lifetime",
    "pool_max_conn_lifetime_jitter",
  ],
  ...[
    "pool_max_conn_idle_time",
    "pool_health_check_period",
    "prepared_statements",
    "default_query_exec_mode",
  ],
  ...["statement_cache_capacity", "description_cache_capacity"],
];

const smallestPool = 4;
const defaultConnectTimeoutSeconds = 5;

export function composeDatabase(input: Input): DatabaseConfig {
  const { values, findings, development, cpus } = input;
  const url = databaseUrl(input);
  const dsn = url === "embedded" ? undefined : parse(url, input);
  const parameters = parameterReader(dsn?.pool ?? {}, input);
  const poolMax = parameters.read(
    "pool_max_conns",
    integer({ min: 1, max: 10_000 }),
    Math.max(smallestPool, cpus),
  );
  const count = integer({ min: 0, max: 10_000 });
  const poolMin = parameters.read("pool_min_conns", count, parameters.read("pool_min_idle_conns", count, 0));
  if (poolMin > poolMax)
    findings.refuse("DB_URL", `pool_min_conns ${poolMin} is above pool_max_conns ${poolMax}`);
  if (values.statementTimeout < 0)
    findings.refuse("AUTHKIT_DB_STATEMENT_TIMEOUT", "is negative", "use 0 for no limit");
  const connectTimeout = dsn?.connectTimeoutSeconds ?? 0;
  return {
    url,
    schema: values.schema,
    poolMax,
    poolMin,
    idleTimeoutMs: parameters.read("pool_max_conn_idle_time", duration, 1_800_000),
    maxLifetimeMs: parameters.read("pool_max_conn_lifetime", duration, 3_600_000),
    connectTimeoutMs: (connectTimeout > 0 ? connectTimeout : defaultConnectTimeoutSeconds) * 1_000,
    statementTimeoutMs: Math.max(0, Math.round(values.statementTimeout)),
    preparedStatements: preparedStatements(parameters),
    migrateOnStart: values.migrateOnStart ?? (development && url === "embedded"),
  };
}

function databaseUrl({ values, findings, development }: Input): string {
  const given = values.databaseUrl;
  if (given === undefined) {
    if (!development)
      findings.refuse(
        "DB_URL",
        "is not set, and neither is DATABASE_URL",
        "set one of them to the PostgreSQL address",
      );
    return "embedded";
  }
  if (given === "embedded" && !development) {
    findings.refuse(
      "DB_URL",
      "asks for the embedded database, which is for development only",
      "set the PostgreSQL address",
    );
  }
  return given;
}

function parse(url: string, { env, findings }: Input) {
  try {
    return parseDsn(url, env);
  } catch (error) {
    if (!(error instanceof InvalidDsn)) throw error;
    findings.refuse(
      "DB_URL",
      error.message,
      "must be postgres://user:password@host:port/database or keyword=value pairs",
    );
    return undefined;
  }
}

interface Parameters {
  read<T>(name: string, type: ValueType<T>, fallback: T): T;
  text(name: string): string | undefined;
}

function parameterReader(pool: Readonly<Record<string, string>>, { findings }: Input): Parameters {
  for (const name of Object.keys(pool)) {
    if (knownParameters.includes(name)) continue;
    const nearest = nearestName(name, knownParameters);
    findings.warn(
      "DB_URL",
      `the parameter ${name} is not known and ignored${nearest ? `; did you mean ${nearest}?` : ""}`,
    );
  }
  return {
    text: (name) => pool[name],
    read(name, type, fallback) {
      const text = pool[name];
      if (text === undefined) return fallback;
      try {
        return type.read(text);
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        findings.refuse(
          "DB_URL",
          `${name} ${JSON.stringify(text)} ${error.message}`,
          `must be ${type.accepts}`,
        );
        return fallback;
      }
    },
  };
}

/** Our own parameter, else what the contract's driver parameters imply (transaction poolers are configured with them). */
function preparedStatements(parameters: Parameters): boolean {
  const mode = parameters.text("default_query_exec_mode") ?? "cache_statement";
  const implied = mode === "cache_statement" && parameters.text("statement_cache_capacity") !== "0";
  return parameters.read("prepared_statements", boolean, implied);
}
