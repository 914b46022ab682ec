import { type Queryable, sql } from "../../platform/postgres/port.ts";

const facts = sql(
  "doctor.facts",
  () => `
  SELECT current_setting('server_version_num')::int AS "version", current_setting('server_version') AS "versionText",
    current_setting('max_connections')::int AS "maxConnections", clock_timestamp() AS "now",
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS "encrypted",
    pg_is_in_recovery() AS "readOnly"`,
);

export interface DatabaseFacts {
  /** 150004 = 15.4. */
  readonly version: number;
  readonly versionText: string;
  readonly maxConnections: number;
  readonly now: Date;
  readonly encrypted: boolean;
  readonly readOnly: boolean;
}

export const doctorStore = {
  async facts(on: Queryable): Promise<DatabaseFacts> {
    const row = await on.row<DatabaseFacts>(facts);
    if (row === undefined) throw new Error("the database tells nothing about itself");
    return row;
  },
};
