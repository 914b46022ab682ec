import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import { type Database, lookup, script, sql } from "../../../src/platform/postgres/port.ts";
import { until } from "../../support/outcome.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { openDatabase } from "./open.ts";

const byId = lookup(
  "lookups.byId",
  (s) => `SELECT name, pg_backend_pid() AS pid FROM ${s}.things WHERE id = $1`,
);
const quotient = lookup("lookups.quotient", () => "SELECT 12 / $1::int AS quotient");
const where = lookup(
  "lookups.where",
  () => "SELECT pg_backend_pid() AS pid, pg_current_xact_id()::text AS xact",
);
const endSelf = lookup("lookups.endSelf", () => "SELECT pg_terminate_backend(pg_backend_pid())");
const lockTable = sql("lookups.lock", (s) => `LOCK TABLE ${s}.things IN ACCESS EXCLUSIVE MODE`);
const blocked = sql(
  "lookups.blocked",
  () =>
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%things WHERE id%'",
);

describe("look-ups asked for at once", () => {
  let url: string;
  let drop: () => Promise<void>;
  let database: Database;

  beforeAll(async () => {
    ({ url, drop } = await createTestDatabase(inject("postgresUrl")));
    database = openDatabase(url);
    await database.run(
      script(
        "lookups.setup",
        (s) => `
        CREATE SCHEMA ${s};
        CREATE TABLE ${s}.things (id integer PRIMARY KEY, name text NOT NULL);
        INSERT INTO ${s}.things SELECT n, 'thing ' || n FROM generate_series(1, 200) AS n`,
      ),
    );
  });

  afterAll(async () => {
    await database.close();
    await drop();
  });

  const nameOf = async (id: number) => (await database.row<{ name: string }>(byId, [id]))?.name;

  test("get their own answers, on few connections", async () => {
    const ids = Array.from({ length: 200 }, (_, index) => index + 1);
    expect(await Promise.all(ids.map(nameOf))).toEqual(ids.map((id) => `thing ${id}`));
    expect(await nameOf(201)).toBeUndefined();
    const rows = await Promise.all(
      Array.from({ length: 8 }, () => database.row<{ pid: number; xact: string }>(where)),
    );
    expect(new Set(rows.map((row) => row?.pid)).size).toBe(1);
    // One write, but each a transaction of its own.
    expect(new Set(rows.map((row) => row?.xact)).size).toBe(8);
  });

  test("fail alone", async () => {
    const outcomes = await Promise.allSettled(
      [1, 0, 3, 0, 4].map((by) => database.row<{ quotient: number }>(quotient, [by])),
    );
    expect(outcomes.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value?.quotient] : []))).toEqual([
      12, 4, 3,
    ]);
  });

  test("outlive the connection that one of them ended", async () => {
    const outcomes = await Promise.allSettled([nameOf(1), database.row(endSelf), nameOf(2), nameOf(3)]);
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect([outcomes[0], outcomes[2], outcomes[3]]).toEqual(
      [1, 2, 3].map((id) => ({ status: "fulfilled", value: `thing ${id}` })),
    );
  });

  test("end with whoever asked: the caller at once, the statement on the server soon after, the others with their answers", async () => {
    const holding = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holder = database.transaction(async (tx) => {
      await tx.run(lockTable);
      locked.resolve();
      await holding.promise;
    });
    await locked.promise;
    const controller = new AbortController();
    const leaving = [1, 2, 3].map((id) => database.row(byId, [id], { signal: controller.signal }));
    const rejections = leaving.map((one) => expect(one).rejects.toThrow("gone"));
    const count = async () => (await database.row<{ n: number }>(blocked))?.n;
    await until("the lock is waited for", 10, async () => (await count()) === 1);
    controller.abort(new Error("gone"));
    await Promise.all(rejections);
    await until("the statements are cancelled", 10, async () => (await count()) === 0);
    holding.resolve();
    await holder;
    expect(await Promise.all([1, 2].map(nameOf))).toEqual(["thing 1", "thing 2"]);
  });

  test("take no longer than a statement may", async () => {
    const impatient = openDatabase(url, { statementTimeoutMs: 400 });
    try {
      await impatient.transaction(
        async (tx) => {
          await tx.run(lockTable);
          const failure = await impatient.row(byId, [1]).catch((error: unknown) => error);
          expect(isAuthError(failure, "service_unavailable")).toBe(true);
        },
        { timeoutMs: 0 },
      );
      expect(await impatient.row(byId, [1])).toMatchObject({ name: "thing 1" });
    } finally {
      await impatient.close();
    }
  });

  test("wait for a connection, and are refused when none becomes free", async () => {
    const narrow = openDatabase(url, { poolMax: 1 });
    try {
      const held = Promise.withResolvers<void>();
      const taken = Promise.withResolvers<void>();
      const holder = narrow.transaction(async (tx) => {
        await tx.row(where);
        taken.resolve();
        await held.promise;
      });
      await taken.promise;
      const waiting = Promise.all([narrow.row(byId, [1]), narrow.row(byId, [2])]);
      await delay(50);
      expect(narrow.pool).toMatchObject({ waiting: 1 });
      held.resolve();
      await holder;
      expect(await waiting).toMatchObject([{ name: "thing 1" }, { name: "thing 2" }]);
    } finally {
      await narrow.close();
    }
  });
});
