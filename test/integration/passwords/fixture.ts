import { readFile } from "node:fs/promises";
import pg from "pg";
import { inject } from "vitest";
import { createAudit } from "../../../src/core/audit/index.ts";
import { createPasswordChanges, createPasswords } from "../../../src/core/passwords/index.ts";
import type { CallContext } from "../../../src/core/platform.ts";
import { createSessionRevocation } from "../../../src/core/sessions/index.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { createInProcessHasher } from "../../../src/platform/hashing/in-process.ts";
import type { PasswordHasher } from "../../../src/platform/hashing/port.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { createDatabase } from "../../../src/platform/postgres/index.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const schema = "profiles";

export const context: CallContext = {
  requestId: "r-1",
  ip: "203.0.113.7",
  userAgent: "test",
  language: "en",
  actor: undefined,
  signal: undefined,
};

export type Fixture = Awaited<ReturnType<typeof openFixture>>;

/** The capability over a database of its own with the real tables. `wrap` may replace the hasher. */
export async function openFixture(
  overrides: ConfigOverrides = {},
  wrap: (hasher: PasswordHasher) => PasswordHasher = (hasher) => hasher,
) {
  const { url, drop } = await createTestDatabase(inject("postgresUrl"));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE SCHEMA ${schema}`);
  for (const name of ["0001_contract.sql", "0002_server.sql"]) {
    const text = await readFile(new URL(`../../../migrations/${name}`, import.meta.url), "utf8");
    await client.query(text.replaceAll("{{schema}}", schema));
  }
  const config = testConfig({ databaseUrl: url }, overrides);
  const database = createDatabase(config.database, silentLog, createMetrics("test"), {
    applicationName: "test",
  });
  const hasher = wrap(createInProcessHasher(config.passwords.argon2));
  const platform = { config, database, hasher, clock: systemClock, random: systemRandom, log: silentLog };
  const audit = createAudit(platform);
  const published: string[] = [];
  const revocation = createSessionRevocation(platform, {
    revokeUser: () => undefined,
    readmitUser: () => undefined,
    revokeSession: (id) => void published.push(id),
  });
  const passwords = createPasswords(platform);
  const changes = createPasswordChanges(platform, {
    passwords,
    audit,
    sessions: { revokeAll: (userId, reason, _context, options) => revocation.all(userId, reason, options) },
  });

  async function query(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await client.query(text, [...values])).rows;
  }

  return {
    passwords,
    changes,
    hasher,
    published,
    query,
    /** A user without password. */
    async user(): Promise<string> {
      const id = systemRandom.uuid();
      await query(`INSERT INTO ${schema}.users (id) VALUES ($1)`, [id]);
      return id;
    },
    /** A live session. */
    async session(userId: string): Promise<string> {
      const id = systemRandom.uuid();
      await query(
        `INSERT INTO ${schema}.refresh_sessions (id, user_id, issuer, family_id, current_token_hash) VALUES ($1, $2, $3, $1, $4)`,
        [id, userId, config.issuer, systemRandom.bytes(32)],
      );
      return id;
    },
    async put(userId: string, hash: string, algorithm: string, params: unknown = null): Promise<void> {
      await query(
        `INSERT INTO ${schema}.user_passwords (user_id, password_hash, hash_algo, hash_params) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET password_hash = $2, hash_algo = $3, hash_params = $4`,
        [userId, hash, algorithm, params === null ? null : JSON.stringify(params)],
      );
    },
    async stored(userId: string) {
      const [row] = await query(
        `SELECT password_hash AS hash, hash_algo AS algorithm, hash_params AS params, password_updated_at::text AS at
         FROM ${schema}.user_passwords WHERE user_id = $1`,
        [userId],
      );
      return row;
    },
    async liveSessions(userId: string): Promise<unknown[]> {
      const rows = await query(
        `SELECT id FROM ${schema}.refresh_sessions WHERE user_id = $1 AND revoked_at IS NULL ORDER BY id`,
        [userId],
      );
      return rows.map((row) => row["id"]);
    },
    async events(userId: string): Promise<unknown[][]> {
      const rows = await query(
        `SELECT event, reason, session_id FROM ${schema}.session_events WHERE user_id = $1 ORDER BY event, session_id`,
        [userId],
      );
      return rows.map((row) => [row["event"], row["reason"], row["session_id"]]);
    },
    async actions(userId: string): Promise<unknown[]> {
      const rows = await query(`SELECT action FROM ${schema}.audit_log WHERE target = $1 ORDER BY id`, [
        `user:${userId}`,
      ]);
      return rows.map((row) => row["action"]);
    },
    async close(): Promise<void> {
      await hasher.close();
      await database.close();
      await client.end();
      await drop();
    },
  };
}
