import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PreparedQuery, type RowShapes } from "../../../src/platform/postgres/prepared-query.ts";
import { columnTypes } from "../../../src/platform/postgres/values.ts";
import { openTestDatabase, type TestDatabase } from "./backends.ts";

let postgres: TestDatabase;
let client: pg.Client;
const shapes: RowShapes = new Map();
const seen = { rowDescription: 0, noData: 0 };

beforeAll(async () => {
  postgres = await openTestDatabase();
  client = new pg.Client({ connectionString: postgres.url, types: columnTypes, pipeline: true });
  await client.connect();
  for (const name of ["rowDescription", "noData"] as const) client.connection.on(name, () => seen[name]++);
  await client.query("CREATE TEMPORARY TABLE things (id int PRIMARY KEY, facts jsonb, made timestamptz)");
});
afterAll(async () => {
  await client.end();
  await postgres.drop();
});

function run<R extends pg.QueryResultRow>(name: string, text: string, values: unknown[]) {
  return new Promise<pg.QueryResult<R>>((resolve, reject) => {
    client.query(
      new PreparedQuery<R>({ name, text }, values, shapes, (error, result) =>
        error ? reject(error) : resolve(result),
      ),
    );
  });
}

const insert = "INSERT INTO things VALUES ($1, $2, $3)";
const select = `SELECT id, facts, made, 12345678901::int8 AS large FROM things WHERE id = $1`;
const made = new Date("2026-01-02T03:04:05.678Z");

it("asks for the description of a statement once a connection, and reads every row alike", async () => {
  for (const id of [1, 2, 3])
    expect((await run("things.insert", insert, [id, { n: id }, made])).rowCount).toBe(1);
  expect(seen).toEqual({ rowDescription: 0, noData: 1 });
  for (const id of [1, 2, 3, 2]) {
    const { rows, rowCount } = await run("things.select", select, [id]);
    expect({ rows, rowCount }).toEqual({
      rows: [{ id, facts: { n: id }, made, large: 12345678901 }],
      rowCount: 1,
    });
  }
  expect(seen).toEqual({ rowDescription: 1, noData: 1 });
  expect((await run("things.select", select, [99])).rows).toEqual([]);
});

it("keeps answers apart that travel together, errors among them", async () => {
  const before = { ...seen };
  const answers = await Promise.allSettled([
    run("things.select", select, [1]),
    run("things.insert", insert, [1, {}, made]),
    run("things.select", select, [2]),
    run("things.insert", insert, [4, { n: 4 }, made]),
    run("things.select", select, ["no number"]),
    run("things.select", select, [4]),
  ]);
  expect(
    answers.map((answer) =>
      answer.status === "fulfilled" ? answer.value.rows.map(({ id }) => id) : answer.reason.code,
    ),
  ).toEqual([[1], "23505", [2], [], "22P02", [4]]);
  expect(seen).toEqual(before);
});

it("describes anew what failed before it was described", async () => {
  await expect(run("things.broken", "SELECT 1 / $1::int AS one", [0])).rejects.toMatchObject({
    code: "22012",
  });
  expect((await run("things.broken", "SELECT 1 / $1::int AS one", [1])).rows).toEqual([{ one: 1 }]);
  expect((await run("things.broken", "SELECT 1 / $1::int AS one", [1])).rows).toEqual([{ one: 1 }]);
});

it("fails where a prepared statement's columns were changed, as before", async () => {
  await client.query("CREATE TEMPORARY TABLE wide (a int)");
  await client.query("INSERT INTO wide VALUES (1)");
  expect((await run("wide.all", "SELECT * FROM wide", [])).rows).toEqual([{ a: 1 }]);
  await client.query("ALTER TABLE wide ADD b int DEFAULT 2");
  await expect(run("wide.all", "SELECT * FROM wide", [])).rejects.toMatchObject({ code: "0A000" });
});
