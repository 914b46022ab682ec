import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../../src/platform/postgres/index.ts";
import { type Database, script, sql } from "../../../src/platform/postgres/port.ts";
import { openDatabase } from "./open.ts";

const one = sql("restart.one", () => "SELECT 1 AS one");
const pid = sql("restart.pid", () => "SELECT pg_backend_pid() AS pid");
const sleep = sql("restart.sleep", () => "SELECT pg_sleep(30)");

describe("a database that goes away", () => {
  let directory = "";
  let server: EmbeddedPostgres | undefined;
  let database: Database | undefined;

  async function start(): Promise<EmbeddedPostgres> {
    directory ||= await mkdtemp(join(tmpdir(), "authkit-test-restart-"));
    server = await startEmbeddedPostgres({ directory, log: silentLog, settings: { fsync: "off" } });
    return server;
  }

  afterEach(async () => {
    await database?.close();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
    database = undefined;
    server = undefined;
    directory = "";
  });

  test("is unavailability while it is down and usable within two seconds after", async () => {
    const first = await start();
    const opened = openDatabase(first.url, { poolMin: 2, idleTimeoutMs: 60_000 });
    database = opened;
    await opened.run(
      script("restart.setup", () => "CREATE TABLE kept (n integer); INSERT INTO kept VALUES (42)"),
    );
    await Promise.all([opened.row(one), opened.row(one)]);
    const running = opened.row(sleep).then(
      () => undefined,
      (error: unknown) => error,
    );
    await new Promise((done) => setTimeout(done, 100));
    await first.stop();
    expect(isAuthError(await running, "service_unavailable")).toBe(true);
    for (let i = 0; i < 3; i++) {
      const error: unknown = await opened.row(one).catch((caught: unknown) => caught);
      expect(isAuthError(error, "service_unavailable")).toBe(true);
    }
    const second = await start();
    expect(second.url).toBe(first.url);
    const back = performance.now();
    let answer: unknown;
    while (answer === undefined && performance.now() - back < 5_000) {
      answer = await opened.row(sql("restart.kept", () => "SELECT n FROM kept")).catch(() => undefined);
      if (answer === undefined) await new Promise((done) => setTimeout(done, 20));
    }
    expect(answer).toEqual({ n: 42 });
    expect(performance.now() - back).toBeLessThan(2_000);
  });

  test("a connection killed while idle costs a reader nothing", async () => {
    const { url } = await start();
    const opened = openDatabase(url, { poolMax: 1 });
    const other = openDatabase(url, { poolMax: 1 });
    database = opened;
    try {
      for (let round = 0; round < 5; round++) {
        const before = await opened.row<{ pid: number }>(pid);
        const kill = sql("restart.kill", () => "SELECT pg_terminate_backend($1)");
        // Not awaited: the reader is sent while the connection dies under it.
        const killed = other.row(kill, [before?.pid ?? 0]);
        if (round % 2 === 0) await killed;
        expect(await opened.row(one)).toEqual({ one: 1 });
        await killed;
      }
    } finally {
      await other.close();
    }
  });

  test("a crash of the server loses nothing that was committed", async () => {
    const first = await start();
    const opened = openDatabase(first.url);
    database = opened;
    await opened.run(
      script("restart.crash", () => "CREATE TABLE kept (n integer); INSERT INTO kept VALUES (1)"),
    );
    process.kill(first.pid, "SIGKILL");
    await first.stop();
    await start();
    await expect
      .poll(() => opened.row(sql("restart.after", () => "SELECT n FROM kept")).catch(() => undefined), {
        timeout: 5_000,
      })
      .toEqual({ n: 1 });
  });

  test("a second process is refused the same directory", async () => {
    await start();
    await expect(startEmbeddedPostgres({ directory, log: silentLog })).rejects.toThrow(
      `is in use by process ${process.pid}`,
    );
  });

  test("the first host that accepts writes is chosen, and left when it no longer does", async () => {
    const { url } = await start();
    const { port, username, password } = new URL(url);
    const dsn = `postgres://${username}:${password}@127.0.0.1:1,127.0.0.1:${port}/authkit?target_session_attrs=read-write`;
    const opened = openDatabase(dsn);
    database = opened;
    expect(await opened.row(one)).toEqual({ one: 1 });
    const admin = openDatabase(url);
    try {
      await admin.run(script("restart.freeze", () => "ALTER SYSTEM SET default_transaction_read_only = on"));
      await admin.row(sql("restart.reload", () => "SELECT pg_reload_conf()"));
      await expect
        .poll(() =>
          opened
            .row(sql("restart.write", () => "CREATE TABLE never (n integer)"))
            .catch((error: unknown) => isAuthError(error, "service_unavailable")),
        )
        .toBe(true);
      const late = openDatabase(dsn);
      expect(isAuthError(await late.row(one).catch((error: unknown) => error), "service_unavailable")).toBe(
        true,
      );
      await late.close();
    } finally {
      await admin.close();
    }
  });
});
