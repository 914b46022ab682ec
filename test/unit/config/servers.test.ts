import { describe, expect, test } from "vitest";
import { parseRedisUrl } from "../../../src/config/compose/redis.ts";
import { config, load, problems, production } from "./load.ts";

describe("Redis", () => {
  const plain = {
    sentinelName: undefined,
    username: undefined,
    password: undefined,
    sentinelPassword: undefined,
    database: 0,
    tls: false,
  };

  test.each([
    ["redis://cache", { ...plain, mode: "single", nodes: [{ host: "cache", port: 6379 }] }],
    [
      "redis://:p%40ss@cache:7000/3",
      { ...plain, mode: "single", nodes: [{ host: "cache", port: 7000 }], password: "p@ss", database: 3 },
    ],
    [
      "rediss://user:p@ss@cache",
      {
        ...plain,
        mode: "single",
        nodes: [{ host: "cache", port: 6379 }],
        username: "user",
        password: "p@ss",
        tls: true,
      },
    ],
    [
      "redis://[::1]:6380?db=2",
      { ...plain, mode: "single", nodes: [{ host: "::1", port: 6380 }], database: 2 },
    ],
    [
      "redis://a,b:7001",
      {
        ...plain,
        mode: "cluster",
        nodes: [
          { host: "a", port: 6379 },
          { host: "b", port: 7001 },
        ],
      },
    ],
    ["rediss-cluster://a", { ...plain, mode: "cluster", nodes: [{ host: "a", port: 6379 }], tls: true }],
    [
      "redis+cluster://a,b",
      {
        ...plain,
        mode: "cluster",
        nodes: [
          { host: "a", port: 6379 },
          { host: "b", port: 6379 },
        ],
      },
    ],
    [
      "redis+sentinel://u:p@s1,s2:26380/main/4?sentinel_password=sp",
      {
        ...{
          mode: "sentinel",
          nodes: [
            { host: "s1", port: 26379 },
            { host: "s2", port: 26380 },
          ],
          sentinelName: "main",
        },
        ...{ username: "u", password: "p", sentinelPassword: "sp", database: 4, tls: false },
      },
    ],
    [
      "redis+sentinel://s1?master=main",
      { ...plain, mode: "sentinel", nodes: [{ host: "s1", port: 26379 }], sentinelName: "main" },
    ],
  ])("%s", (url, target) => {
    expect(parseRedisUrl(url).target).toEqual(target);
  });

  test.each([
    ["cache:6379", "is not a Redis URL"],
    ["http://cache", "is not a Redis URL"],
    ["redis://", "names no host"],
    ["redis://cache/x", "has a path that is no database number"],
    ["redis://cache/1/2", "has a path that is no database number"],
    ["redis://cache:70000", "has a port out of range"],
    ["redis://a,,b", "is not `host:port`"],
    ["redis+sentinel://s1", "names no master"],
    ["redis-cluster://a/1", "names a database, which a cluster does not have"],
    ["redis://%zz@cache", "has an invalid percent escape"],
  ])("%s is refused", (url, message) => {
    const [only = "", ...others] = problems({ AUTHKIT_REDIS_URL: url });
    expect(only).toContain(`AUTHKIT_REDIS_URL: the value ${message}`);
    expect(others).toEqual([]);
  });

  test("a refused URL is not repeated: it may hold a password", () => {
    expect(problems({ AUTHKIT_REDIS_URL: "redis://:hunter2@cache/x" }).join()).not.toContain("hunter2");
  });

  test("an address takes its password beside it, with white space", () => {
    const made = config({
      AUTHKIT_REDIS_ADDR: "cache:6379",
      AUTHKIT_REDIS_PASSWORD: " p ",
      AUTHKIT_REDIS_KEY_PREFIX: "x:",
    });
    expect(made.redis).toMatchObject({
      mode: "single",
      nodes: [{ host: "cache", port: 6379 }],
      password: " p ",
      keyPrefix: "x:",
    });
  });

  test("several addresses are a cluster, or Sentinels when the master is named", () => {
    expect(config({ AUTHKIT_REDIS_ADDR: "a:1,b:2" }).redis).toMatchObject({ mode: "cluster" });
    const sentinel = config({
      AUTHKIT_REDIS_ADDR: "a,b:2",
      AUTHKIT_REDIS_SENTINEL_MASTER: "m",
      AUTHKIT_REDIS_SENTINEL_PASSWORD: "s",
    }).redis;
    expect(sentinel).toMatchObject({
      ...{ mode: "sentinel", sentinelName: "m", sentinelPassword: "s" },
      nodes: [
        { host: "a", port: 26379 },
        { host: "b", port: 2 },
      ],
    });
  });

  test("URL and address exclude each other, and so do URL and password", () => {
    expect(problems({ ...production, AUTHKIT_REDIS_URL: "redis://cache" })).toEqual([
      "AUTHKIT_REDIS_URL: and AUTHKIT_REDIS_ADDR are both set; not both: keep one of the two",
    ]);
    expect(problems({ AUTHKIT_REDIS_URL: "redis://cache", AUTHKIT_REDIS_PASSWORD: "p" })).toEqual([
      "AUTHKIT_REDIS_PASSWORD: is set beside AUTHKIT_REDIS_URL; write it into the URL",
    ]);
  });

  test("a certificate authority needs TLS; unknown parameters are reported", () => {
    expect(problems({ AUTHKIT_REDIS_ADDR: "cache", AUTHKIT_REDIS_CA_PEM: "pem" })).toHaveLength(1);
    expect(config({ AUTHKIT_REDIS_URL: "rediss://cache", AUTHKIT_REDIS_CA_PEM: "a\\nb" }).redis?.tlsCa).toBe(
      "a\nb",
    );
    expect(load({ AUTHKIT_REDIS_URL: "redis://cache?pool_size=3" }).warnings).toEqual([
      "AUTHKIT_REDIS_URL: the parameter pool_size is not known and ignored",
    ]);
  });
});

describe("PostgreSQL", () => {
  const url = "postgres://u:hidden@db/auth";

  test("defaults", () => {
    expect(config({ DB_URL: url }).database).toEqual({
      ...{
        url,
        schema: "profiles",
        poolMax: 8,
        poolMin: 0,
        idleTimeoutMs: 1_800_000,
        maxLifetimeMs: 3_600_000,
      },
      ...{
        connectTimeoutMs: 5_000,
        statementTimeoutMs: 15_000,
        preparedStatements: true,
        migrateOnStart: false,
      },
    });
    expect(load({ DATABASE_URL: url }, {}, { cpus: 1 }).config.database.poolMax).toBe(4);
  });

  test.each([
    `${url}?pool_max_conns=20&pool_min_conns=2&pool_max_conn_lifetime=30m&pool_max_conn_idle_time=5m&connect_timeout=9&prepared_statements=false`,
    "host=db user=u password='it''s' pool_max_conns=20 pool_min_idle_conns=2 pool_max_conn_lifetime=30m pool_max_conn_idle_time=5m connect_timeout=9 prepared_statements=0".replace(
      "''",
      "\\'",
    ),
  ])("pool parameters of %s", (dsn) => {
    expect(config({ DB_URL: dsn }).database).toMatchObject({
      ...{ url: dsn, poolMax: 20, poolMin: 2, idleTimeoutMs: 300_000, maxLifetimeMs: 1_800_000 },
      ...{ connectTimeoutMs: 9_000, preparedStatements: false },
    });
  });

  test.each([
    ["default_query_exec_mode=simple_protocol", false],
    ["default_query_exec_mode=exec", false],
    ["default_query_exec_mode=cache_statement", true],
    ["statement_cache_capacity=0", false],
    ["default_query_exec_mode=exec&prepared_statements=true", true],
  ])("the contract's driver parameter %s means prepared statements %s", (parameter, prepared) => {
    expect(config({ DB_URL: `${url}?${parameter}` }).database.preparedStatements).toBe(prepared);
  });

  test.each([
    "pool_max_conns=0",
    "pool_max_conns=x",
    "pool_max_conn_lifetime=60",
    "pool_min_conns=9&pool_max_conns=5",
    "prepared_statements=maybe",
  ])("%s is refused", (parameter) => {
    const [only = "", ...others] = problems({ DB_URL: `${url}?${parameter}` });
    expect(only).toMatch(/^DB_URL: (pool|prepared)_/);
    expect(only).not.toContain("hidden");
    expect(others).toEqual([]);
  });

  test("unknown pool parameters are reported with the nearest one", () => {
    expect(load({ DB_URL: `${url}?pool_max_con=4` }).warnings).toEqual([
      "DB_URL: the parameter pool_max_con is not known and ignored; did you mean pool_max_conns?",
    ]);
  });

  test("what is no connection string is refused without repeating it", () => {
    const [only = ""] = problems({ DB_URL: "postgres://u:hidden@h:99999999/x" });
    expect(only).toMatch(/^DB_URL: /);
    expect(only).not.toContain("hidden");
    expect(problems({ DB_URL: "just some words" })).toHaveLength(1);
    expect(problems({ AUTHKIT_DB_STATEMENT_TIMEOUT: "-1s" })).toHaveLength(1);
  });
});
