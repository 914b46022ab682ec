import { cidr, listenAddress, origin } from "../network.ts";
import { boolean, duration, integer, list, oneOf, path, pattern, text } from "../values.ts";
import { optional, variable } from "../variable.ts";

/** Listeners, processes, database, Redis. */
export const serving = {
  listen: variable(
    "AUTHKIT_LISTEN_ADDR",
    listenAddress,
    { host: undefined, port: 8080 },
    {
      origin: "contract",
      defaultText: "`:8080`",
      doc: "Address of the public listener. Plain HTTP; TLS is the proxy's.",
    },
  ),
  metricsListen: optional("AUTHKIT_METRICS_LISTEN_ADDR", listenAddress, {
    defaultText: "no metrics listener",
    doc: "Address of the Prometheus endpoint `/metrics`.",
  }),
  httpWorkers: variable("AUTHKIT_HTTP_WORKERS", integer({ min: 0, max: 256 }), 0, {
    defaultText: "`0`: one a CPU",
    doc: "Number of http worker processes.",
  }),
  managementWorkers: variable("AUTHKIT_MGMT_WORKERS", integer({ min: 0, max: 64 }), 0, {
    defaultText: "`0`: one",
    doc: "Number of management worker processes.",
  }),
  hashingWorkers: variable("AUTHKIT_HASHING_WORKERS", integer({ min: 0, max: 256 }), 0, {
    defaultText: "`0`: one a CPU",
    doc: "Number of password-hashing processes; each hashes one password at a time.",
  }),
  engine: variable("AUTHKIT_HTTP_ENGINE", oneOf("auto", "uws", "node"), "auto", {
    doc: "HTTP engine: `uws` (uWebSockets.js), `node` (node:http), or `auto`, the first that works here.",
  }),
  trustedProxies: variable("AUTHKIT_TRUSTED_PROXIES", list(cidr), [], {
    origin: "later",
    defaultText: "none",
    doc: "CIDR ranges of reverse proxies whose forwarded headers name the client. Without it the TCP peer is the client.",
  }),
  trustCloudflare: variable("AUTHKIT_TRUST_CLOUDFLARE", boolean, true, {
    doc: "Honour `CF-Connecting-IP` from a trusted proxy. Switch off when the proxy is not Cloudflare and passes the header on.",
  }),
  corsOrigins: variable("AUTHKIT_CORS_ORIGINS", list(origin), [], {
    yaml: "server.cors_origins",
    defaultText: "none: no CORS headers at all",
    doc: "Origins whose scripts may call the API from a browser.",
  }),
  shutdownTimeout: variable("AUTHKIT_SHUTDOWN_TIMEOUT", duration, 20_000, {
    defaultText: "`20s`",
    doc: "How long requests in flight may take to finish after SIGTERM.",
  }),
  socketDirectory: optional("AUTHKIT_SOCKET_DIR", path, {
    defaultText:
      "`sockets` in the state directory (development), a directory under the system's temporary one (production)",
    doc: "Directory of the Unix sockets between the processes; their path may have 107 bytes at most.",
  }),
  maxBodyBytes: variable("AUTHKIT_MAX_BODY_BYTES", integer({ min: 1_024, max: 67_108_864 }), 1_048_576, {
    doc: "Largest request body accepted.",
  }),

  databaseUrl: optional("DB_URL", text, {
    origin: "contract",
    secret: true,
    aliases: [{ name: "DATABASE_URL", deprecated: false }],
    defaultText: "required; in development an embedded PostgreSQL",
    doc: "PostgreSQL as a URL or a keyword/value string. Pool parameters in it: `pool_max_conns`, `pool_min_conns`, `pool_max_conn_lifetime`, `pool_max_conn_idle_time`, `prepared_statements`.",
  }),
  schema: variable(
    "AUTHKIT_SCHEMA",
    pattern(
      "identifier",
      "a lower-case SQL identifier of at most 63 bytes (`[a-z_][a-z0-9_]*`)",
      /^[a-z_][a-z0-9_]{0,62}$/,
    ),
    "profiles",
    {
      origin: "contract",
      doc: "PostgreSQL schema of all tables.",
    },
  ),
  migrateOnStart: optional("AUTHKIT_MIGRATE_ON_START", boolean, {
    origin: "later",
    defaultText: "`false`; `true` with the embedded database",
    doc: "Apply pending migrations before serving.",
  }),
  statementTimeout: variable("AUTHKIT_DB_STATEMENT_TIMEOUT", duration, 15_000, {
    defaultText: "`15s`",
    doc: "Longest a statement may run while serving; `0` = no limit. Migrations are exempt.",
  }),

  redisUrl: optional("AUTHKIT_REDIS_URL", text, {
    origin: "later",
    secret: true,
    defaultText: "required in production (this or the address)",
    doc: "Redis as `redis://`, `rediss://` (TLS), `redis+sentinel://host1,host2/<master>/<db>` or `redis-cluster://host1,host2`; the last two with `rediss` for TLS.",
  }),
  redisAddress: optional("AUTHKIT_REDIS_ADDR", list(text), {
    origin: "contract",
    doc: "Redis as `host:port`. Several, separated by commas, are nodes of a cluster, or Sentinels when `AUTHKIT_REDIS_SENTINEL_MASTER` is set.",
  }),
  redisPassword: optional("AUTHKIT_REDIS_PASSWORD", text, {
    origin: "later",
    secret: true,
    verbatim: true,
    doc: "Password for `AUTHKIT_REDIS_ADDR`; taken with its white space. Refused beside `AUTHKIT_REDIS_URL`.",
  }),
  redisUsername: optional("AUTHKIT_REDIS_USERNAME", text, { doc: "ACL user for `AUTHKIT_REDIS_ADDR`." }),
  redisSentinelMaster: optional("AUTHKIT_REDIS_SENTINEL_MASTER", text, {
    doc: "Name of the master the Sentinels of `AUTHKIT_REDIS_ADDR` watch.",
  }),
  redisSentinelPassword: optional("AUTHKIT_REDIS_SENTINEL_PASSWORD", text, {
    secret: true,
    verbatim: true,
    doc: "Password of the Sentinels themselves.",
  }),
  redisCa: optional("AUTHKIT_REDIS_CA_PEM", text, {
    file: true,
    defaultText: "the system's certificate authorities",
    doc: "PEM of the certificate authority that signed Redis' certificate.",
  }),
  redisKeyPrefix: variable(
    "AUTHKIT_REDIS_KEY_PREFIX",
    pattern("string", "up to 64 printable characters without white space and braces", /^[!-z|~]{0,64}$/),
    "",
    {
      defaultText: "empty",
      doc: "Put before every Redis key, so that several servers may share one database.",
    },
  ),
};
