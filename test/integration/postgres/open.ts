import type { DatabaseConfig } from "../../../src/config/config.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import type { Metrics } from "../../../src/platform/metrics/port.ts";
import { createDatabase, type DatabaseOptions } from "../../../src/platform/postgres/index.ts";
import type { Database } from "../../../src/platform/postgres/port.ts";
import { testConfig } from "../../support/config.ts";

export const noMetrics: Metrics = {
  counter: () => ({ add() {} }),
  gauge: () => ({ set() {} }),
  histogram: () => ({ observe() {} }),
  text: async () => "",
};

/** The port on a test database. */
export function openDatabase(
  url: string,
  overrides: Partial<DatabaseConfig> = {},
  options: Partial<DatabaseOptions> = {},
): Database {
  const config: DatabaseConfig = { ...testConfig({ databaseUrl: url }).database, ...overrides };
  return createDatabase(config, silentLog, noMetrics, {
    applicationName: "authkit test",
    environment: {},
    ...options,
  });
}
