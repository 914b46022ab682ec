import { execFile } from "node:child_process";
import { chmod, chown, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import {
  type EmbeddedPostgres,
  postgresClientConfig,
  reachableClientConfig,
  startEmbeddedPostgres,
} from "../../../src/platform/postgres/index.ts";
import { sql } from "../../../src/platform/postgres/port.ts";
import { testConfig } from "../../support/config.ts";
import { openDatabase } from "./open.ts";

const session = sql(
  "connecting.session",
  () => `SELECT current_user AS "user", current_setting('application_name') AS app, current_setting('work_mem') AS memory,
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls`,
);

async function ask(dsn: string, environment: Record<string, string> = {}): Promise<unknown> {
  const database = openDatabase(dsn, { connectTimeoutMs: 3_000 }, { environment });
  try {
    return await database.row(session).catch((error: unknown) => error);
  } finally {
    await database.close();
  }
}

describe("connection strings in use", () => {
  test("a URI, keywords and the environment reach the same database", async () => {
    const { port, username, password, pathname } = new URL(inject("postgresUrl"));
    const name = pathname.slice(1);
    const expected = { user: "postgres", app: "authkit test", memory: "4MB", tls: false };
    expect(await ask(inject("postgresUrl"))).toEqual(expected);
    expect(
      await ask(`host=127.0.0.1 port=${port} user=${username} password='${password}' dbname=${name}`),
    ).toEqual(expected);
    const environment = { PGHOST: "127.0.0.1", PGPORT: port, PGUSER: username, PGPASSWORD: password };
    expect(await ask(`dbname=${name}`, environment)).toEqual(expected);
    expect(await ask(`${inject("postgresUrl")}?pool_max_conns=3&application_name=mine&work_mem=5MB`)).toEqual(
      {
        ...expected,
        app: "mine",
        memory: "5MB",
      },
    );
  });

  test("settings for clients outside the pool work", async () => {
    const config = testConfig({ databaseUrl: inject("postgresUrl") }).database;
    for (const settings of [postgresClientConfig(config, {}), await reachableClientConfig(config, {})]) {
      const client = new pg.Client(settings);
      await client.connect();
      expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
      await client.end();
    }
  });
});

describe("encryption", () => {
  let directory: string;
  let server: EmbeddedPostgres;
  let certificate: string;
  let stranger: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "authkit-test-tls-"));
    // Made once without TLS, so that the directory has the owner the key needs.
    server = await startEmbeddedPostgres({
      directory: join(directory, "server"),
      log: silentLog,
      settings: { fsync: "off" },
    });
    await server.stop();
    const make = promisify(execFile);
    const pair = async (name: string, host: string) => {
      const paths = {
        key: join(directory, "server", `${name}.key`),
        cert: join(directory, "server", `${name}.crt`),
      };
      await make("openssl", [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        paths.key,
        "-out",
        paths.cert,
        "-subj",
        `/CN=${host}`,
        "-addext",
        `subjectAltName=DNS:${host}`,
      ]);
      const owner = await stat(join(directory, "server"));
      await chown(paths.key, owner.uid, owner.gid);
      await chmod(paths.key, 0o600);
      await chmod(paths.cert, 0o644);
      return paths;
    };
    const own = await pair("own", "localhost");
    stranger = (await pair("stranger", "elsewhere")).cert;
    certificate = own.cert;
    server = await startEmbeddedPostgres({
      directory: join(directory, "server"),
      log: silentLog,
      settings: { fsync: "off", ssl: "on", ssl_cert_file: own.cert, ssl_key_file: own.key },
    });
  });

  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const at = (host: string, parameters: string) => {
    const url = new URL(server.url);
    url.hostname = host;
    return `${url.href}?${parameters}`;
  };

  test.each([
    ["sslmode=disable", false],
    ["sslmode=allow", false],
    ["sslmode=prefer", true],
    ["sslmode=require", true],
    ["", true],
  ])("%s encrypts: %s", async (parameters, tls) => {
    expect(await ask(at("127.0.0.1", parameters))).toMatchObject({ tls });
  });

  test("verification checks the chain, and the name where asked", async () => {
    expect(await ask(at("127.0.0.1", `sslmode=verify-ca&sslrootcert=${certificate}`))).toMatchObject({
      tls: true,
    });
    expect(await ask(at("localhost", `sslmode=verify-full&sslrootcert=${certificate}`))).toMatchObject({
      tls: true,
    });
    for (const parameters of [
      `sslmode=verify-full&sslrootcert=${certificate}`,
      `sslmode=verify-ca&sslrootcert=${stranger}`,
      `sslmode=require&sslrootcert=${stranger}`,
      "sslmode=verify-ca",
    ]) {
      expect(isAuthError(await ask(at("127.0.0.1", parameters)), "service_unavailable")).toBe(true);
    }
  });

  test("a cancellation travels encrypted too", async () => {
    const database = openDatabase(at("127.0.0.1", "sslmode=require"), { poolMax: 1 });
    try {
      // Connected beforehand: the time is for the cancellation alone.
      await database.row(session);
      const abort = new AbortController();
      setTimeout(() => abort.abort(new Error("left")), 300);
      await expect(
        database.row(
          sql("connecting.sleep", () => "SELECT pg_sleep(30)"),
          [],
          { signal: abort.signal },
        ),
      ).rejects.toThrow("left");
      const started = performance.now();
      expect(await database.row(session)).toMatchObject({ tls: true });
      expect(performance.now() - started).toBeLessThan(1_500);
    } finally {
      await database.close();
    }
  });
});
