import { type Queryable, sql } from "../../platform/postgres/port.ts";

const setUsername = sql(
  "users.setUsername",
  (s) => `UPDATE ${s}.users SET username = $2, updated_at = $3 WHERE id = $1`,
);

const addRename = sql(
  "users.addRename",
  (s) => `INSERT INTO ${s}.user_renames (user_id, from_slug, renamed_at) VALUES ($1, $2, $3)`,
);

const lastRename = sql(
  "users.lastRename",
  (s) =>
    `SELECT renamed_at AS "renamedAt" FROM ${s}.user_renames WHERE user_id = $1 ORDER BY renamed_at DESC LIMIT 1`,
);

const aliases = sql(
  "users.aliases",
  (s) => `SELECT DISTINCT from_slug AS name FROM ${s}.user_renames WHERE user_id = $1 ORDER BY from_slug`,
);

export const renameStore = {
  setUsername: (on: Queryable, userId: string, username: string, at: Date) =>
    on.run(setUsername, [userId, username, at]),
  addRename: (on: Queryable, userId: string, from: string, at: Date) => on.run(addRename, [userId, from, at]),
  async lastRename(on: Queryable, userId: string): Promise<Date | undefined> {
    return (await on.row<{ readonly renamedAt: Date }>(lastRename, [userId]))?.renamedAt;
  },
  async aliases(on: Queryable, userId: string): Promise<string[]> {
    return (await on.rows<{ readonly name: string }>(aliases, [userId])).map((row) => row.name);
  },
};
