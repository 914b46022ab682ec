import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { createAudit } from "../../../src/core/audit/index.ts";
import { createAuthenticator } from "../../../src/core/authentication/index.ts";
import { createMfaStates } from "../../../src/core/mfa/states.ts";
import type { CallContext } from "../../../src/core/platform.ts";
import { createRevocations, type Revocations } from "../../../src/core/revocations/index.ts";
import { migrateUp } from "../../../src/core/schema/index.ts";
import { createSessions, type Sessions } from "../../../src/core/sessions/index.ts";
import { generatePrivateKey } from "../../../src/core/signing-keys/generate.ts";
import { buildKeySet } from "../../../src/core/signing-keys/key-set.ts";
import type { KeyRing } from "../../../src/core/signing-keys/types.ts";
import { createTokens } from "../../../src/core/tokens/index.ts";
import { createUsers, type UserOperations } from "../../../src/core/users/index.ts";
import { type Bus, createBus } from "../../../src/platform/bus/index.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { createDatabase, postgresClientConfig } from "../../../src/platform/postgres/index.ts";
import type { Database } from "../../../src/platform/postgres/port.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { connectRedis } from "../../../src/platform/redis/connection.ts";
import { testConfig } from "../../support/config.ts";
import { createTestDatabase } from "../../support/postgres.ts";

export const context: CallContext = {
  requestId: "request-1",
  ip: "203.0.113.7",
  userAgent: "test",
  language: "en",
  actor: "management",
  signal: undefined,
};

export interface DeploymentOptions {
  /** Undefined: the bus runs over PostgreSQL. */
  readonly redisUrl: string | undefined;
  /** Milliseconds between comparisons with the database; long by default, so that only the feed is under test. */
  readonly resyncMs?: number;
}

export interface Node {
  readonly bus: Bus;
  readonly revocations: Revocations;
  readonly users: UserOperations;
  readonly sessions: Sessions;
  close(): Promise<void>;
  /** Questions this process has put to the database about a user's access. */
  accessReads(): number;
  /** The principal's kind, or the code of the refusal. */
  try(token: string): Promise<string>;
}

export interface SignedIn {
  readonly userId: string;
  readonly sessionId: string;
  readonly token: string;
}

export interface Deployment {
  readonly config: Config;
  readonly first: Node;
  /** A further process. */
  node(): Node;
  /** Straight SQL; `S` is the schema. */
  query(text: string, values?: unknown[]): Promise<unknown>;
  /** A signed-in account, new unless one is named. */
  signIn(on?: Node, userId?: string): Promise<SignedIn>;
  close(): Promise<void>;
}

/** One database, one signing key, and as many server processes over them as a test wants. */
export async function openDeployment({
  redisUrl,
  resyncMs = 600_000,
}: DeploymentOptions): Promise<Deployment> {
  const { url, drop } = await createTestDatabase(inject("postgresUrl"));
  const prefix = `r${randomBytes(6).toString("hex")}:`;
  const config = testConfig(
    redisUrl === undefined ? { databaseUrl: url } : { databaseUrl: url, redisUrl, redisKeyPrefix: prefix },
    { sessions: { maxPerUser: 3 } },
  );
  const keys = buildKeySet(
    { active: { kid: "k", privateKey: generatePrivateKey("ES256") }, others: new Map() },
    "none",
    new Date(),
  );
  const keyring: KeyRing = {
    current: () => keys,
    reload: async () => undefined,
    onChange: () => undefined,
    close: async () => undefined,
  };
  const admin = new pg.Pool({ connectionString: url, max: 4 });
  const closers: (() => Promise<void>)[] = [];

  function node(): Node {
    const metrics = createMetrics("test");
    let reads = 0;
    const connection = createDatabase(config.database, silentLog, metrics, {
      applicationName: "authkit test",
      poolMax: 4,
    });
    const database: Database = {
      ...connection,
      row(statement, values, options) {
        if (statement.name === "revocations.selectAccess") reads++;
        return connection.row(statement, values, options);
      },
    };
    const redis =
      config.redis === undefined ? undefined : connectRedis(config.redis, silentLog, { name: "test" });
    const bus = createBus(
      { redis, postgres: postgresClientConfig(config.database), schema: config.database.schema },
      silentLog,
      systemRandom,
      { name: "test-bus" },
    );
    const platform = {
      config,
      database,
      bus,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      metrics,
    };
    const revocations = createRevocations(platform, { resyncMs });
    const audit = createAudit(platform);
    const users = createUsers(platform, revocations, audit);
    const mfaStates = createMfaStates(platform, { senderAvailable: () => true, totpAvailable: () => true });
    const tokens = createTokens(config, keyring, systemClock, silentLog);
    const sessions = createSessions(platform, users, mfaStates, tokens, audit, revocations);
    const authenticator = createAuthenticator({
      config,
      keyring,
      clock: systemClock,
      log: silentLog,
      revocations,
    });
    let closed = false;
    const close = async (): Promise<void> => {
      if (closed) return;
      closed = true;
      await revocations.close();
      await bus.close();
      await redis?.close();
      await connection.close();
    };
    closers.push(close);
    return {
      bus,
      revocations,
      users,
      sessions,
      close,
      accessReads: () => reads,
      async try(token: string): Promise<string> {
        try {
          return (await authenticator.authenticate(`Bearer ${token}`)).kind;
        } catch (error) {
          return error instanceof Error ? error.message : String(error);
        }
      },
    };
  }

  const first = node();
  await migrateUp(createDatabaseFor(config.database, closers), silentLog);

  let serial = 0;
  return {
    config,
    first,
    node,
    query: (text: string, values: unknown[] = []) =>
      admin.query(text.replaceAll("S.", `${config.database.schema}.`), values),
    async signIn(on: Node = first, userId?: string) {
      const id = userId ?? systemRandom.uuid();
      if (userId === undefined) {
        const name = `user${++serial}`;
        await admin.query(`INSERT INTO ${config.database.schema}.users (id, username) VALUES ($1, $2)`, [
          id,
          name,
        ]);
      }
      const granted = await on.sessions.open(
        { userId: id, methods: ["pwd"], origin: "password_login" },
        context,
      );
      if (granted.kind !== "granted") throw new Error("no session");
      return { userId: id, sessionId: granted.sessionId, token: granted.accessToken };
    },
    async close() {
      for (const close of closers) await close();
      await admin.end();
      await drop();
    },
  };
}

function createDatabaseFor(
  database: Parameters<typeof createDatabase>[0],
  closers: (() => Promise<void>)[],
): ReturnType<typeof createDatabase> {
  const opened = createDatabase(database, silentLog, createMetrics("test"), {
    applicationName: "authkit test",
    poolMax: 2,
  });
  closers.push(() => opened.close());
  return opened;
}

/** Waits until the answer is the wanted one; fails with the last one after `timeout` milliseconds. */
export async function eventually(ask: () => Promise<string>, wanted: string, timeout = 5_000): Promise<void> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer === wanted) return;
    if (Date.now() > deadline) throw new Error(`still ${answer}, not ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
