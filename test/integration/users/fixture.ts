import pg from "pg";
import { inject } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { createAudit } from "../../../src/core/audit/index.ts";
import { createMfaStates } from "../../../src/core/mfa/states.ts";
import type { CallContext } from "../../../src/core/platform.ts";
import { migrateUp } from "../../../src/core/schema/index.ts";
import { createSessions, type RevocationFeed } from "../../../src/core/sessions/index.ts";
import type { AccessTokenSubject, Tokens } from "../../../src/core/tokens/types.ts";
import { createUsers } from "../../../src/core/users/index.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import { type Log, silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { createDatabase } from "../../../src/platform/postgres/index.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";
import { createTestDatabase } from "../../support/postgres.ts";

/** A clock that stands still until moved. */
export class TestClock implements Clock {
  #millis = Date.parse("2026-06-26T12:00:00.000Z");
  now = () => new Date(this.#millis);
  millis = () => this.#millis;
  epochSeconds = () => Math.floor(this.#millis / 1000);
  monotonic = () => this.#millis;
  advance(seconds: number): void {
    this.#millis += seconds * 1000;
  }
}

/** Keeps what was published. */
export class RecordingFeed implements RevocationFeed {
  readonly published: string[] = [];
  revokeUser = (id: string): void => void this.published.push(`user:${id}`);
  readmitUser = (id: string): void => void this.published.push(`readmit:${id}`);
  revokeSession = (id: string): void => void this.published.push(`session:${id}`);
}

class RecordingLog implements Log {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  fatal = (fields: object, message: string): void =>
    void this.lines.push({ level: "fatal", fields, message });
  error = (fields: object, message: string): void =>
    void this.lines.push({ level: "error", fields, message });
  warn = (fields: object, message: string): void => void this.lines.push({ level: "warn", fields, message });
  info = (fields: object, message: string): void => void this.lines.push({ level: "info", fields, message });
  debug = (fields: object, message: string): void =>
    void this.lines.push({ level: "debug", fields, message });
  child = (): Log => this;
}

/** Tokens whose text is what they were made of. */
class ReadableTokens implements Tokens {
  readonly #clock: Clock;
  signer = true;
  constructor(clock: Clock) {
    this.#clock = clock;
  }
  accessToken(subject: AccessTokenSubject) {
    if (!this.signer) throw new Error("no signer");
    return { token: JSON.stringify(subject), expiresAt: new Date((this.#clock.epochSeconds() + 900) * 1000) };
  }
  enrollmentToken(userId: string) {
    const expiresAt = new Date((this.#clock.epochSeconds() + 600) * 1000);
    return { token: JSON.stringify({ enrollment: userId }), expiresAt };
  }
  sign(typ: string, claims: Readonly<Record<string, unknown>>): string {
    return JSON.stringify({ typ, claims });
  }
}

export function context(overrides: Partial<CallContext> = {}): CallContext {
  return {
    requestId: "request-1",
    ip: "203.0.113.7",
    userAgent: "Mozilla/5.0",
    language: "en",
    actor: "management",
    signal: undefined,
    ...overrides,
  };
}

export type Fixture = Awaited<ReturnType<typeof openFixture>>;

/** A database of its own with the tables of the project, and accounts and sessions over it. */
export async function openFixture(overrides: ConfigOverrides = {}) {
  const { url, drop } = await createTestDatabase(inject("postgresUrl"));
  const config = testConfig({ databaseUrl: url }, overrides);
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const database = createDatabase(config.database, new RecordingLog(), createMetrics("test"), {
    applicationName: "authkit test",
    poolMax: 24,
  });
  await migrateUp(database, silentLog);
  const built = assemble(config, database);
  return {
    ...built,
    /** Straight SQL; `S` is the schema. */
    query: async <R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> =>
      (await admin.query<R>(text.replaceAll("S.", `${config.database.schema}.`), values)).rows,
    /** The same capabilities under another configuration. */
    with: (changes: ConfigOverrides) => assemble(testConfig({ databaseUrl: url }, changes), database),
    async close() {
      await database.close();
      await admin.end();
      await drop();
    },
  };
}

function assemble(config: Config, database: ReturnType<typeof createDatabase>) {
  const clock = new TestClock();
  const feed = new RecordingFeed();
  const log = new RecordingLog();
  const tokens = new ReadableTokens(clock);
  const platform = { config, database, clock, random: systemRandom, log, metrics: createMetrics("test") };
  const audit = createAudit(platform);
  const users = createUsers(platform, feed, audit);
  const mfaStates = createMfaStates(platform, { senderAvailable: () => true, totpAvailable: () => true });
  const sessions = createSessions(platform, users, mfaStates, tokens, audit, feed);
  return { config, database, clock, feed, log, tokens, platform, audit, users, mfaStates, sessions };
}

let serial = 0;

/** A live account; names are unique within the file. */
export async function addUser(
  { users, database }: Pick<Fixture, "users" | "database">,
  overrides: Partial<Parameters<Fixture["users"]["create"]>[0]> = {},
) {
  const n = ++serial;
  return database.transaction((tx) =>
    users.create(
      {
        email: `user${n}@example.com`,
        phoneNumber: `+1555${String(n).padStart(7, "0")}`,
        username: `user_${n}`,
        emailVerified: true,
        phoneVerified: false,
        preferredLanguage: null,
        passwordHash: null,
        ...overrides,
      },
      tx,
    ),
  );
}

/** Code of the refusal, or undefined when the work succeeds. */
export async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error) return String(error.code);
    throw error;
  }
}
