import { describe, expect, test } from "vitest";
import { InvalidDsn, parseDsn } from "../../../src/config/dsn.ts";

const basic = {
  hosts: [{ host: "localhost", port: 5432 }],
  user: "u",
  password: undefined,
  database: "u",
  ssl: { mode: "prefer", rootCertificate: undefined, certificate: undefined, key: undefined },
  targetSession: "any",
  applicationName: undefined,
  connectTimeoutSeconds: undefined,
  options: undefined,
  pool: {},
};

describe("connection strings", () => {
  test("URIs, with escapes, several hosts and parameters", () => {
    expect(parseDsn("postgres://u@")).toEqual(basic);
    expect(
      parseDsn(
        "postgresql://u:p%40ss%2F@db.example:6543/name?sslmode=require&connect_timeout=5&application_name=a%20b",
      ),
    ).toEqual({
      ...basic,
      hosts: [{ host: "db.example", port: 6543 }],
      password: "p@ss/",
      database: "name",
      ssl: { ...basic.ssl, mode: "require" },
      connectTimeoutSeconds: 5,
      applicationName: "a b",
    });
    expect(parseDsn("postgres://u@a:1,[::1]:2,c/db").hosts).toEqual([
      { host: "a", port: 1 },
      { host: "::1", port: 2 },
      { host: "c", port: 5432 },
    ]);
    expect(parseDsn("postgres:///db?host=/var/run/postgresql&user=u").hosts).toEqual([
      { host: "/var/run/postgresql", port: 5432 },
    ]);
  });

  test("keyword/value pairs, with quotes and escapes", () => {
    expect(parseDsn(String.raw`host=a,b port=1,2 user = u dbname='my db' password='it\'s \\'`)).toEqual({
      ...basic,
      hosts: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
      database: "my db",
      password: "it's \\",
      targetSession: "read-write",
    });
    expect(parseDsn("host=a,b port=7 user=u target_session_attrs=primary")).toMatchObject({
      hosts: [
        { host: "a", port: 7 },
        { host: "b", port: 7 },
      ],
      targetSession: "primary",
    });
  });

  test("the environment fills gaps only", () => {
    const environment = {
      PGHOST: "env",
      PGPORT: "9",
      PGUSER: "eu",
      PGPASSWORD: "ep",
      PGDATABASE: "ed",
      PGSSLMODE: "disable",
    };
    expect(parseDsn("postgres://", environment)).toMatchObject({
      hosts: [{ host: "env", port: 9 }],
      user: "eu",
      password: "ep",
      database: "ed",
      ssl: { mode: "disable" },
    });
    expect(parseDsn("host=x user=y", environment)).toMatchObject({
      hosts: [{ host: "x", port: 9 }],
      user: "y",
    });
  });

  test("pool parameters are set aside; unknown ones configure the session", () => {
    const dsn = parseDsn(
      "postgres://u@h/d?pool_max_conns=9&prepared_statements=false&search_path=a%20b&statement_timeout=5s&keepalives=1",
    );
    expect(dsn.pool).toEqual({ pool_max_conns: "9", prepared_statements: "false" });
    expect(dsn.options).toBe(String.raw`-c search_path=a\ b -c statement_timeout=5s`);
    expect(parseDsn("host=h user=u options='-c geqo=off' work_mem=1MB").options).toBe(
      "-c geqo=off -c work_mem=1MB",
    );
  });

  test.each([
    "",
    "just words",
    "postgres://u:p@h:port/db",
    "postgres://u@h:70000/db",
    "postgres://u@h/db?sslmode=maybe",
    "postgres://u@h/db?target_session_attrs=writer",
    "postgres://u@h/db?sslmode",
    "postgres://u%zz@h/db",
    "host=a,b,c port=1,2",
    "host=h connect_timeout=soon",
    "host='unterminated",
    "postgres://u@h/db?bad%20name=1",
  ])("refuses %j and shows no secret", (text) => {
    expect(() => parseDsn(text)).toThrow(InvalidDsn);
  });
});
