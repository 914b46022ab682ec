import { type Queryable, sql } from "../../platform/postgres/port.ts";

/** Held until the transaction ends: of several that apply the same manifest, the others wait, and then see the marker. */
const lock = sql(
  "bootstrap.lock",
  () => `SELECT pg_advisory_xact_lock(hashtextextended('authkit.bootstrap.' || $1::text, 0))`,
);

const applied = sql(
  "bootstrap.applied",
  (s) => `SELECT 1 AS one FROM ${s}.bootstrap_applies WHERE name = $1`,
);

const mark = sql(
  "bootstrap.mark",
  (s) =>
    `INSERT INTO ${s}.bootstrap_applies (name, applied_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
);

const inUse = sql(
  "bootstrap.inUse",
  (s) => `
  SELECT EXISTS (SELECT 1 FROM ${s}.users WHERE deleted_at IS NULL)
    OR EXISTS (SELECT 1 FROM ${s}.remote_applications WHERE deleted_at IS NULL) AS "inUse"`,
);

export const bootstrapStore = {
  lock: (on: Queryable, name: string) => on.run(lock, [name]),
  async applied(on: Queryable, name: string): Promise<boolean> {
    return (await on.row(applied, [name])) !== undefined;
  },
  mark: (on: Queryable, name: string, at: Date) => on.run(mark, [name, at]),
  async inUse(on: Queryable): Promise<boolean> {
    return (await on.row<{ readonly inUse: boolean }>(inUse, []))?.inUse === true;
  },
};
