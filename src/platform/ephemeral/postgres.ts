import { type Database, type Queryable, sql } from "../postgres/port.ts";
import type { EphemeralStore } from "./port.ts";

const setValue = sql(
  "ephemeral.set",
  (s) => `INSERT INTO ${s}.ephemeral (key, value, expires_at)
  VALUES ($1, $2, now() + $3 * interval '1 second')
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`,
);

const setFreeValue = sql(
  "ephemeral.setIfAbsent",
  (s) => `INSERT INTO ${s}.ephemeral AS e (key, value, expires_at)
  VALUES ($1, $2, now() + $3 * interval '1 second')
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
  WHERE e.expires_at <= now()`,
);

const getValue = sql(
  "ephemeral.get",
  (s) => `SELECT value FROM ${s}.ephemeral WHERE key = $1 AND expires_at > now()`,
);

const getValues = sql(
  "ephemeral.getMany",
  (s) => `SELECT key, value FROM ${s}.ephemeral WHERE key = ANY($1::text[]) AND expires_at > now()`,
);

const takeValue = sql(
  "ephemeral.take",
  (s) => `DELETE FROM ${s}.ephemeral WHERE key = $1 AND expires_at > now() RETURNING value`,
);

const takeEqualValue = sql(
  "ephemeral.compareAndTake",
  (s) => `DELETE FROM ${s}.ephemeral WHERE key = $1 AND value = $2 AND expires_at > now()`,
);

const replaceEqualValue = sql(
  "ephemeral.compareAndSet",
  (s) => `UPDATE ${s}.ephemeral SET value = $3 WHERE key = $1 AND value = $2 AND expires_at > now()`,
);

const deleteValues = sql("ephemeral.delete", (s) => `DELETE FROM ${s}.ephemeral WHERE key = ANY($1::text[])`);

const incrementValue = sql(
  "ephemeral.increment",
  (s) => `INSERT INTO ${s}.ephemeral AS e (key, value, expires_at)
  VALUES ($1, '1', now() + $2 * interval '1 second')
  ON CONFLICT (key) DO UPDATE SET
    value = CASE WHEN e.expires_at <= now() THEN '1' ELSE (e.value::bigint + 1)::text END,
    expires_at = excluded.expires_at
  RETURNING value`,
);

const deleteExpired = sql(
  "ephemeral.deleteExpired",
  (s) => `DELETE FROM ${s}.ephemeral WHERE expires_at <= now()`,
);

/** Ephemeral state in an UNLOGGED table, for development without Redis. Expired rows count as absent. */
export function createPostgresEphemeralStore(database: Database): EphemeralStore {
  return {
    async set(key, value, ttlSeconds) {
      await database.run(setValue, [key, value, ttlSeconds]);
    },
    async setIfAbsent(key, value, ttlSeconds) {
      return (await database.run(setFreeValue, [key, value, ttlSeconds])) === 1;
    },
    async get(key) {
      return (await database.row<{ value: string }>(getValue, [key]))?.value;
    },
    async getMany(keys) {
      if (keys.length === 0) return [];
      const rows = await database.rows<{ key: string; value: string }>(getValues, [keys]);
      const values = new Map(rows.map((row) => [row.key, row.value]));
      return keys.map((key) => values.get(key));
    },
    async take(key) {
      return (await database.row<{ value: string }>(takeValue, [key]))?.value;
    },
    async compareAndTake(key, expected) {
      return (await database.run(takeEqualValue, [key, expected])) === 1;
    },
    async compareAndSet(key, expected, value) {
      return (await database.run(replaceEqualValue, [key, expected, value])) === 1;
    },
    async delete(...keys) {
      if (keys.length > 0) await database.run(deleteValues, [keys]);
    },
    async increment(key, ttlSeconds) {
      return Number((await database.row<{ value: string }>(incrementValue, [key, ttlSeconds]))?.value);
    },
  };
}

/** Removes expired rows; returns how many. */
export function sweepEphemeral(database: Queryable): Promise<number> {
  return database.run(deleteExpired);
}
