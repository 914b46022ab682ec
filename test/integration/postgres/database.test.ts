import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import { DatabaseError } from "../../../src/platform/postgres/index.ts";
import { ConstraintViolation, type Database, script, sql } from "../../../src/platform/postgres/port.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { openDatabase } from "./open.ts";

const sleep = sql("test.sleep", () => "SELECT pg_sleep($1)");
const ticket = sql("test.ticket", (s) => `INSERT INTO ${s}.things (id, name) VALUES ($1, $2)`);
const countThings = sql("test.count", (s) => `SELECT count(*) AS n FROM ${s}.things`);
const backendPid = sql("test.pid", () => "SELECT pg_backend_pid() AS pid");

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error("expected a rejection");
    },
    (error: unknown) => error,
  );
}

describe("the database port", () => {
  let url: string;
  let drop: () => Promise<void>;
  let database: Database;

  beforeAll(async () => {
    ({ url, drop } = await createTestDatabase(inject("postgresUrl")));
    database = openDatabase(url);
    await database.run(
      script(
        "test.setup",
        (s) => `
        CREATE SCHEMA ${s};
        CREATE EXTENSION citext WITH SCHEMA public;
        CREATE TABLE ${s}.things (
          id integer PRIMARY KEY, name text NOT NULL CONSTRAINT things_name_check CHECK (name <> ''),
          parent integer CONSTRAINT things_parent_fkey REFERENCES ${s}.things (id), UNIQUE (name))`,
      ),
    );
  });

  afterAll(async () => {
    await database.close();
    await drop();
  });

  test("returns the promised types", async () => {
    const row = await database.row(
      sql(
        "test.types",
        () => `SELECT 7::int8 AS big, ARRAY[1, NULL, 3]::int8[] AS bigs, '{}'::int8[] AS none, now() AS at, '\\xff00'::bytea AS bytes,
          '{"a":[1]}'::jsonb AS doc, 'Ab'::public.citext AS ci, '10.0.0.1'::inet AS ip, ARRAY['a','b'] AS texts,
          '0190a0a0-0000-7000-8000-000000000000'::uuid AS id, '2024-02-29'::date AS day, true AS yes, NULL AS nothing`,
      ),
    );
    expect(row).toEqual({
      big: 7,
      bigs: [1, null, 3],
      none: [],
      at: expect.any(Date),
      bytes: Buffer.from([255, 0]),
      doc: { a: [1] },
      ci: "Ab",
      ip: "10.0.0.1",
      texts: ["a", "b"],
      id: "0190a0a0-0000-7000-8000-000000000000",
      day: "2024-02-29",
      yes: true,
      nothing: null,
    });
  });

  test("binds values faithfully and refuses undefined", async () => {
    const at = new Date("1883-11-18T17:00:00.123Z");
    const echo = sql(
      "test.echo",
      () =>
        "SELECT $1::timestamptz AS at, $2::text[] AS list, $3::jsonb AS doc, $4::bytea AS raw, $5::int8 AS n",
    );
    const row = await database.row(echo, [
      at,
      ['a"b', "c,d", null],
      { x: "é" },
      Buffer.from("hi"),
      9_007_199_254_740_991n,
    ]);
    expect(row).toEqual({
      at,
      list: ['a"b', "c,d", null],
      doc: { x: "é" },
      raw: Buffer.from("hi"),
      n: 9_007_199_254_740_991,
    });
    const missing: Record<string, string> = {};
    const hole = missing["absent"];
    await expect(
      database.row(
        echo,
        JSON.parse("[1]").map(() => hole),
      ),
    ).rejects.toThrow("bind null");
  });

  test("names the violated constraint", async () => {
    await database.run(ticket, [1, "one"]);
    const cases: [unknown, string, string][] = [
      [await rejection(database.run(ticket, [1, "other"])), "unique", "things_pkey"],
      [await rejection(database.run(ticket, [2, "one"])), "unique", "things_name_key"],
      [await rejection(database.run(ticket, [2, ""])), "check", "things_name_check"],
      [
        await rejection(
          database.run(sql("test.orphan", (s) => `INSERT INTO ${s}.things VALUES (9, 'nine', 999)`)),
        ),
        "foreign_key",
        "things_parent_fkey",
      ],
    ];
    for (const [error, kind, constraint] of cases) {
      expect(error).toBeInstanceOf(ConstraintViolation);
      expect(error).toMatchObject({ kind, constraint, table: "things" });
    }
    const missing = await rejection(database.run(ticket, [3, null]));
    expect(missing).toMatchObject({ kind: "not_null", column: "name" });
  });

  test("says no more of a faulty statement than its name and state", async () => {
    const error = await rejection(
      database.row(sql("test.faulty", () => "SELECT secret_column FROM nowhere")),
    );
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ message: "test.faulty failed with SQLSTATE 42P01", sqlState: "42P01" });
  });

  test("text that cannot be stored is the fault of whoever sent it", async () => {
    const echo = sql("test.keepText", () => "SELECT $1::text AS text");
    const parse = sql("test.keepJson", () => "SELECT ($1::jsonb)::text AS text");
    expect(await rejection(database.row(echo, ["a\u0000b"]))).toMatchObject({ code: "invalid_request" });
    expect(await rejection(database.row(parse, [String.raw`{"a":"\u0000"}`]))).toMatchObject({
      code: "invalid_request",
    });
    const aborted = database.transaction(async (tx) => {
      await tx.run(ticket, [77, "kept?"]);
      await tx.row(echo, ["\u0000"]);
    });
    expect(await rejection(aborted)).toMatchObject({ code: "invalid_request" });
    expect(
      await database.row(sql("test.findThing", (s) => `SELECT 1 AS one FROM ${s}.things WHERE id = 77`)),
    ).toBe(undefined);
  });

  test("an abort cancels the statement on the server, and the pool goes on", async () => {
    const small = openDatabase(url, { poolMax: 1 });
    try {
      const abort = new AbortController();
      const reason = new Error("caller left");
      const started = performance.now();
      const pending = rejection(small.row(sleep, [30], { signal: abort.signal }));
      setTimeout(() => abort.abort(reason), 100);
      expect(await pending).toBe(reason);
      expect(performance.now() - started).toBeLessThan(2_000);
      // The only connection is free again: the server did stop.
      expect(await small.row(countThings)).toEqual({ n: expect.any(Number) });
      expect(performance.now() - started).toBeLessThan(3_000);
      await expect(small.row(sleep, [0], { signal: abort.signal })).rejects.toBe(reason);
    } finally {
      await small.close();
    }
  });

  test("an abort inside a transaction rolls it back", async () => {
    const abort = new AbortController();
    const before = await database.row<{ n: number }>(countThings);
    setTimeout(() => abort.abort(new Error("gone")), 100);
    await expect(
      database.transaction(
        async (tx) => {
          await tx.run(ticket, [50, "fifty"]);
          await tx.row(sleep, [30]);
        },
        { signal: abort.signal },
      ),
    ).rejects.toThrow("gone");
    expect(await database.row(countThings)).toEqual(before);
  });

  test("a statement over its time is cancelled and reported as unavailability", async () => {
    const hasty = openDatabase(url, { statementTimeoutMs: 150 });
    try {
      const error = await rejection(hasty.row(sleep, [30]));
      expect(isAuthError(error, "service_unavailable")).toBe(true);
      expect(error).toMatchObject({ retryAfter: 1 });
      await expect(hasty.row(sleep, [0.3], { timeoutMs: 0 })).resolves.toBeDefined();
    } finally {
      await hasty.close();
    }
  });

  test("commits, runs the tasks in order, and rolls back on an error", async () => {
    const order: string[] = [];
    const result = await database.transaction(async (tx) => {
      await tx.run(ticket, [100, "hundred"]);
      tx.afterCommit(async () => {
        order.push(`first ${(await database.row<{ n: number }>(countThings))?.n}`);
      });
      tx.afterCommit(() => {
        throw new Error("only logged");
      });
      tx.afterCommit(() => {
        order.push("second");
      });
      return "done";
    });
    expect(result).toBe("done");
    expect(order).toEqual([expect.stringMatching(/^first \d+$/), "second"]);
    await expect(
      database.transaction(async (tx) => {
        tx.afterCommit(() => {
          order.push("never");
        });
        await tx.run(ticket, [101, "hundred and one"]);
        throw new Error("changed my mind");
      }),
    ).rejects.toThrow("changed my mind");
    expect(order).toHaveLength(2);
    expect(
      await database.row(sql("test.find", (s) => `SELECT id FROM ${s}.things WHERE id = 101`)),
    ).toBeUndefined();
  });

  test("a swallowed error does not turn into a silent rollback", async () => {
    const error = await rejection(
      database.transaction(async (tx) => {
        await tx.run(ticket, [100, "again"]).catch(() => undefined);
        return "pretended";
      }),
    );
    expect(error).toBeInstanceOf(ConstraintViolation);
  });

  test("work without statements takes no connection", async () => {
    const small = openDatabase(url, { poolMax: 1 });
    try {
      const inside = await small.transaction(async () => small.pool.total);
      expect(inside).toBe(0);
    } finally {
      await small.close();
    }
  });

  test("a statement by itself that the server undid for the sake of others is sent again, three times in all", async () => {
    await database.run(
      script(
        "test.setupVictim",
        (s) => `
        CREATE SEQUENCE ${s}.attempts;
        CREATE FUNCTION ${s}.victim(times integer) RETURNS integer LANGUAGE plpgsql AS $$
          DECLARE attempt integer := nextval('${s}.attempts');
          BEGIN
            IF attempt <= times THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF;
            RETURN attempt;
          END $$`,
      ),
    );
    const victim = sql("test.victim", (s) => `SELECT ${s}.victim($1) AS attempt`);
    expect(await database.row(victim, [2])).toEqual({ attempt: 3 });
    const error = await rejection(database.row(victim, [1000]));
    expect(isAuthError(error) && error.code).toBe("service_unavailable");
    expect(await database.row(victim, [0])).toEqual({ attempt: 7 });
  });

  test("runs a serialization conflict again until both have counted", async () => {
    await database.run(
      script(
        "test.counter",
        (s) => `CREATE TABLE ${s}.counter (n integer); INSERT INTO ${s}.counter VALUES (0)`,
      ),
    );
    const read = sql("test.read", (s) => `SELECT n FROM ${s}.counter`);
    const write = sql("test.write", (s) => `UPDATE ${s}.counter SET n = $1`);
    let runs = 0;
    let reads = 0;
    const bothHaveRead = Promise.withResolvers<void>();
    const add = () =>
      database.transaction(
        async (tx) => {
          runs++;
          const { n } = (await tx.row<{ n: number }>(read)) ?? { n: 0 };
          if (++reads === 2) bothHaveRead.resolve();
          await bothHaveRead.promise;
          await tx.run(write, [n + 1]);
        },
        { isolation: "serializable" },
      );
    await Promise.all([add(), add()]);
    expect(await database.row(read)).toEqual({ n: 2 });
    expect(runs).toBe(3);
  });

  test("copies rows in, and nothing of a broken source", async () => {
    const target = sql("test.copyTarget", (s) => `${s}.things (id, name)`);
    const lines = function* () {
      for (let i = 1_000; i < 21_000; i++) yield `${i}\tcopied ${i}`;
    };
    expect(await database.transaction((tx) => tx.copyIn(target, lines()))).toBe(20_000);
    await expect(
      database.transaction((tx) =>
        tx.copyIn(
          target,
          (function* () {
            yield "30000\tx";
            throw new Error("source broke");
          })(),
        ),
      ),
    ).rejects.toThrow("source broke");
    await expect(database.transaction((tx) => tx.copyIn(target, ["1000\tagain"]))).rejects.toBeInstanceOf(
      ConstraintViolation,
    );
    expect(
      await database.row(sql("test.copied", (s) => `SELECT count(*) AS n FROM ${s}.things WHERE id >= 1000`)),
    ).toEqual({ n: 20_000 });
  });

  test("many callers share few connections in order, and waiting has an end", async () => {
    const small = openDatabase(url, { poolMax: 2, connectTimeoutMs: 400 });
    try {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => small.row<{ pid: number }>(backendPid)),
      );
      // The first connection may have answered everybody before the second was made.
      expect(new Set(answers.map((row) => row?.pid)).size).toBeLessThanOrEqual(2);
      const blockers = [small.row(sleep, [1.5]), small.row(sleep, [1.5])];
      const refused = await rejection(small.row(countThings));
      expect(isAuthError(refused, "service_unavailable")).toBe(true);
      await Promise.all(blockers);
    } finally {
      await small.close();
    }
  });

  test("works without prepared statements and with long names", async () => {
    const plain = openDatabase(url, { preparedStatements: false });
    const long = (tail: string) =>
      sql(`test.${"x".repeat(80)}${tail}`, () => `SELECT '${tail}' AS tail WHERE $1::int = 1`);
    try {
      expect(await plain.row(long("a"), [1])).toEqual({ tail: "a" });
      expect(await database.row(long("a"), [1])).toEqual({ tail: "a" });
      expect(await database.row(long("b"), [1])).toEqual({ tail: "b" });
      expect(
        await plain.row(sql("test.prepared", () => "SELECT count(*) AS n FROM pg_prepared_statements")),
      ).toEqual({ n: 0 });
    } finally {
      await plain.close();
    }
  });

  test("statements carry their names behind them, for whoever looks at the server", async () => {
    const own = sql("test.own", () => "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()");
    expect((await database.row<{ query: string }>(own))?.query).toMatch(/\n\/\* test\.own \*\/$/);
  });

  test("a changed table under a prepared statement is not an error", async () => {
    const single = openDatabase(url, { poolMax: 1 });
    const all = sql("test.all", (s) => `SELECT * FROM ${s}.shifting`);
    try {
      await single.run(
        script(
          "test.shifting",
          (s) => `CREATE TABLE ${s}.shifting (a integer); INSERT INTO ${s}.shifting VALUES (1)`,
        ),
      );
      expect(await single.rows(all)).toEqual([{ a: 1 }]);
      await single.run(
        script("test.shift", (s) => `ALTER TABLE ${s}.shifting ADD COLUMN b text DEFAULT 'new'`),
      );
      expect(await single.rows(all)).toEqual([{ a: 1, b: "new" }]);
    } finally {
      await single.close();
    }
  });

  test("an unreachable database is unavailability, at once", async () => {
    const nowhere = openDatabase("postgres://u:p@127.0.0.1:1/none?sslmode=disable");
    try {
      const started = performance.now();
      expect(isAuthError(await rejection(nowhere.row(countThings)), "service_unavailable")).toBe(true);
      expect(isAuthError(await rejection(nowhere.ping()), "service_unavailable")).toBe(true);
      expect(performance.now() - started).toBeLessThan(1_000);
    } finally {
      await nowhere.close();
    }
  });
});
