import type { ClientConfig } from "pg";
import type { DatabaseConfig } from "../../config/config.ts";
import { type Dsn, type DsnHost, parseDsn } from "../../config/dsn.ts";
import { type TlsOptions, tlsAttempts } from "./encryption.ts";
import { openConnection } from "./opening.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Settings for a client of the driver outside the pool (`LISTEN`, the job queue's own connections): the first host, and
 * in the clear unless the DSN insists on encryption. Where several hosts or both ways are possible, prefer
 * {@link reachableClientConfig}.
 */
export function postgresClientConfig(
  config: DatabaseConfig,
  environment: Environment = process.env,
): ClientConfig {
  const dsn = dsnOf(config, environment);
  const [host] = dsn.hosts;
  const attempts = tlsAttempts(dsn);
  return clientConfig(dsn, host, attempts.includes(undefined) ? undefined : attempts[0]);
}

/**
 * Like {@link postgresClientConfig}, for the host and way that answer now.
 *
 * @throws what connecting to the last host threw.
 */
export async function reachableClientConfig(
  config: DatabaseConfig,
  environment: Environment = process.env,
): Promise<ClientConfig> {
  const dsn = dsnOf(config, environment);
  const connection = await openConnection({
    dsn,
    tls: tlsAttempts(dsn),
    applicationName: "authkit probe",
    timeoutMs: config.connectTimeoutMs,
  });
  await connection.end();
  return clientConfig(dsn, connection.target, connection.tls);
}

function dsnOf(config: DatabaseConfig, environment: Environment): Dsn {
  if (config.url === "embedded")
    throw new Error("the embedded database must be started before it is connected to");
  return parseDsn(config.url, environment);
}

function clientConfig(dsn: Dsn, host: DsnHost | undefined, tls: TlsOptions): ClientConfig {
  return {
    host: host?.host ?? "localhost",
    port: host?.port ?? 5432,
    user: dsn.user,
    database: dsn.database,
    ssl: tls === undefined ? false : { ...tls },
    ...(dsn.password === undefined ? {} : { password: dsn.password }),
    ...(dsn.options === undefined ? {} : { options: dsn.options }),
  };
}
