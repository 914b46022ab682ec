/** How a connection is encrypted, as in libpq. */
export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";

export type TargetSession = "any" | "read-write" | "read-only" | "primary" | "standby" | "prefer-standby";

export interface DsnHost {
  /** Host name, address, or the directory of a Unix socket (begins with `/`). */
  readonly host: string;
  readonly port: number;
}

/** A connection string, taken apart. */
export interface Dsn {
  /** Tried in order. */
  readonly hosts: readonly DsnHost[];
  readonly user: string;
  /** Undefined = the password file of the user, if any. */
  readonly password: string | undefined;
  readonly database: string;
  readonly ssl: {
    readonly mode: SslMode;
    /** Path of the CA bundle; `system` = the trusted roots of the system. */
    readonly rootCertificate: string | undefined;
    readonly certificate: string | undefined;
    readonly key: string | undefined;
  };
  readonly targetSession: TargetSession;
  readonly applicationName: string | undefined;
  /** Seconds per host; 0 or absent = the pool's own time-out. */
  readonly connectTimeoutSeconds: number | undefined;
  /** `options` of the start-up packet, with further run-time parameters of the DSN folded in as `-c name=value`. */
  readonly options: string | undefined;
  /** `pool_*` and `prepared_statements` as written, for the configuration to interpret. */
  readonly pool: Readonly<Record<string, string>>;
}

/** The DSN cannot be used; the message names the part and never contains a secret. */
export class InvalidDsn extends Error {
  override readonly name = "InvalidDsn";
}

/** Environment variables that fill gaps, by parameter. */
const environmentNames: Readonly<Record<string, string>> = {
  host: "PGHOST",
  port: "PGPORT",
  user: "PGUSER",
  password: "PGPASSWORD",
  dbname: "PGDATABASE",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  application_name: "PGAPPNAME",
  connect_timeout: "PGCONNECT_TIMEOUT",
  target_session_attrs: "PGTARGETSESSIONATTRS",
  options: "PGOPTIONS",
};

/** Parameters of libpq that have no meaning for this driver. */
const ignored = new Set([
  "channel_binding",
  "client_encoding",
  "fallback_application_name",
  "gssdelegation",
  "gssencmode",
  "gsslib",
  "hostaddr",
  "keepalives",
  "keepalives_count",
  "keepalives_idle",
  "keepalives_interval",
  "krbsrvname",
  "load_balance_hosts",
  "passfile",
  "replication",
  "require_auth",
  "requirepeer",
  "sslcertmode",
  "sslcompression",
  "sslcrl",
  "sslcrldir",
  "sslnegotiation",
  "sslpassword",
  "sslsni",
  "ssl_max_protocol_version",
  "ssl_min_protocol_version",
  "tcp_user_timeout",
]);

/** How the driver prepares statements: our parameter, and those of the contract's driver that say the same. */
const statementParameters = new Set([
  "prepared_statements",
  "default_query_exec_mode",
  "statement_cache_capacity",
  "description_cache_capacity",
]);

const sslModes: readonly SslMode[] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const targets: readonly TargetSession[] = [
  "any",
  "read-write",
  "read-only",
  "primary",
  "standby",
  "prefer-standby",
];

/**
 * Parses a PostgreSQL connection string: the URI form (several hosts allowed) or the keyword/value form; `PG*` variables of
 * `environment` fill gaps, then libpq's defaults apply. Parameters libpq does not know are run-time parameters of the session.
 *
 * @throws InvalidDsn
 */
export function parseDsn(text: string, environment: Readonly<Record<string, string | undefined>> = {}): Dsn {
  const trimmed = text.trim();
  const given = /^postgres(?:ql)?:\/\//i.test(trimmed) ? parseUri(trimmed) : parseKeywords(trimmed);
  const pool: Record<string, string> = {};
  const session: Record<string, string> = {};
  for (const [name, value] of given) {
    if (name.startsWith("pool_") || statementParameters.has(name)) pool[name] = value;
    else if (!Object.hasOwn(environmentNames, name) && !ignored.has(name)) session[name] = value;
  }
  const read = (name: string): string | undefined => {
    const value = given.get(name) || environment[environmentNames[name] ?? ""];
    return value === "" ? undefined : value;
  };
  const hosts = pairHosts(read("host") ?? "localhost", read("port") ?? "5432");
  const user = read("user") ?? environment["USER"] ?? environment["LOGNAME"] ?? "postgres";
  const connectTimeout = read("connect_timeout");
  return {
    hosts,
    user,
    password: read("password"),
    database: read("dbname") ?? user,
    ssl: {
      mode: oneOf("sslmode", read("sslmode") ?? "prefer", sslModes),
      rootCertificate: read("sslrootcert"),
      certificate: read("sslcert"),
      key: read("sslkey"),
    },
    // Among several servers only one accepts writes, and nothing here works without writing.
    targetSession: oneOf(
      "target_session_attrs",
      read("target_session_attrs") ?? (hosts.length > 1 ? "read-write" : "any"),
      targets,
    ),
    applicationName: read("application_name"),
    connectTimeoutSeconds:
      connectTimeout === undefined ? undefined : wholeNumber("connect_timeout", connectTimeout),
    options: joinOptions(read("options"), session),
    pool,
  };
}

function parseUri(text: string): Map<string, string> {
  const match = /^[a-z]+:\/\/(?:([^/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(?:#.*)?$/i.exec(text);
  if (match === null) throw new InvalidDsn("the connection URI is malformed");
  const [, userinfo, authority = "", path, query] = match;
  const result = new Map<string, string>();
  if (userinfo !== undefined) {
    const colon = userinfo.indexOf(":");
    result.set("user", decode(colon < 0 ? userinfo : userinfo.slice(0, colon)));
    if (colon >= 0) result.set("password", decode(userinfo.slice(colon + 1)));
  }
  if (authority !== "") {
    const parts = authority.split(",").map(splitPort);
    result.set("host", parts.map((part) => decode(part.host)).join(","));
    if (parts.some((part) => part.port !== "")) result.set("port", parts.map((part) => part.port).join(","));
  }
  if (path !== undefined && path !== "") result.set("dbname", decode(path));
  for (const pair of (query ?? "").split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    if (equals < 1) throw new InvalidDsn("a parameter of the connection URI has no value");
    put(result, decode(pair.slice(0, equals)), decode(pair.slice(equals + 1)));
  }
  return result;
}

/** Keeps a parameter, under libpq's name where other drivers call it differently. */
function put(parameters: Map<string, string>, name: string, value: string): void {
  if (name === "database") parameters.set("dbname", value);
  else if (name === "ssl") parameters.set("sslmode", value === "false" ? "disable" : "require");
  else parameters.set(name, value);
}

function splitPort(text: string): { host: string; port: string } {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]*))?$/.exec(text);
  if (match === null) throw new InvalidDsn("a host of the connection URI is malformed");
  return { host: (match[1] ?? "").replace(/^\[(.*)\]$/, "$1"), port: match[2] ?? "" };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidDsn("the connection URI contains an invalid percent escape");
  }
}

function parseKeywords(text: string): Map<string, string> {
  const result = new Map<string, string>();
  const pattern = /\s*([A-Za-z_]\w*)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/sy;
  while (pattern.lastIndex < text.length) {
    if (text.slice(pattern.lastIndex).trim() === "") break;
    const match = pattern.exec(text);
    if (match === null)
      throw new InvalidDsn("the connection string is neither a postgres:// URI nor keyword=value pairs");
    const [, name = "", quoted, bare = ""] = match;
    put(result, name, (quoted ?? bare).replace(/\\(.)/gs, "$1"));
  }
  if (result.size === 0) throw new InvalidDsn("the connection string is empty");
  return result;
}

function pairHosts(hosts: string, ports: string): DsnHost[] {
  const names = hosts.split(",");
  const numbers = ports.split(",");
  if (numbers.length !== 1 && numbers.length !== names.length) {
    throw new InvalidDsn(`${names.length} hosts but ${numbers.length} ports`);
  }
  return names.map((name, index) => {
    const port = wholeNumber("port", numbers[numbers.length === 1 ? 0 : index] || "5432");
    if (port < 1 || port > 65_535) throw new InvalidDsn(`port ${port} is out of range`);
    return { host: name.trim() || "localhost", port };
  });
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text.trim())) throw new InvalidDsn(`${name} is not a whole number`);
  return Number(text);
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new InvalidDsn(`${name} must be one of ${allowed.join(", ")}`);
  return found;
}

function joinOptions(
  options: string | undefined,
  session: Readonly<Record<string, string>>,
): string | undefined {
  const parts = options === undefined ? [] : [options];
  for (const [name, value] of Object.entries(session)) {
    if (!/^[A-Za-z_][\w.]*$/.test(name))
      throw new InvalidDsn("the connection string has an unknown parameter");
    parts.push(`-c ${name}=${value.replace(/([\s\\])/g, "\\$1")}`);
  }
  return parts.length === 0 ? undefined : parts.join(" ");
}
