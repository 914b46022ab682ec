import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { inject } from "vitest";
import { silentLog } from "../../src/platform/log/port.ts";
import { type EmbeddedServer, startEmbedded } from "../../workers/embedded.ts";
import { type ConfigOverrides, testConfig } from "./config.ts";
import { createTestDatabase } from "./postgres.ts";

export interface TestServer extends EmbeddedServer {
  readonly databaseUrl: string;
  readonly stateDirectory: string;
  /** `S.` stands for the schema. */
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

/** All capabilities in the test's own process, over a database of its own. */
export async function openTestServer(overrides: ConfigOverrides = {}): Promise<TestServer> {
  const { url, drop } = await createTestDatabase(inject("postgresUrl"));
  const stateDirectory = await mkdtemp(join(tmpdir(), "authkit-embedded-"));
  const config = testConfig({ databaseUrl: url }, { stateDirectory, ...overrides });
  const server = await startEmbedded({ config, log: silentLog });
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  return {
    ...server,
    databaseUrl: url,
    stateDirectory,
    async query(text, values = []) {
      const { rows } = await admin.query(text.replaceAll("S.", `${config.database.schema}.`), [...values]);
      return rows;
    },
    async close() {
      await admin.end();
      await server.close();
      await drop();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}
