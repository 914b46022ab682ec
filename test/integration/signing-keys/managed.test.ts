import { randomBytes } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { keysCommand } from "../../../src/cli/keys.ts";
import type { Config } from "../../../src/config/config.ts";
import { createAuthenticator } from "../../../src/core/authentication/index.ts";
import { migrateUp } from "../../../src/core/schema/index.ts";
import { createKeyRing } from "../../../src/core/signing-keys/key-ring.ts";
import { resealSigningKeys } from "../../../src/core/signing-keys/reseal.ts";
import { rotateSigningKeys } from "../../../src/core/signing-keys/rotate.ts";
import type { KeyRing } from "../../../src/core/signing-keys/types.ts";
import { createTokens } from "../../../src/core/tokens/index.ts";
import { type Bus, createBus } from "../../../src/platform/bus/index.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { createDatabase, postgresClientConfig } from "../../../src/platform/postgres/index.ts";
import type { Database } from "../../../src/platform/postgres/port.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { connectRedis, type RedisConnection } from "../../../src/platform/redis/connection.ts";
import { testConfig } from "../../support/config.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { testClock } from "../../unit/tokens/fixtures.ts";

const userId = "019f0000-0000-7000-8000-0000000000aa";

let config: Config;
let database: Database;
let admin: pg.Pool;
let redis: RedisConnection;
let bus: Bus;
let drop: () => Promise<void>;
let clock: Clock & { advance(seconds: number): void };
const rings: KeyRing[] = [];

beforeAll(async () => {
  const created = await createTestDatabase(inject("postgresUrl"));
  drop = created.drop;
  config = testConfig(
    {
      databaseUrl: created.url,
      redisUrl: inject("redisUrl"),
      redisKeyPrefix: `k${randomBytes(6).toString("hex")}:`,
    },
    { keys: { keyringSecret: Buffer.alloc(32, 1) } },
  );
  database = createDatabase(config.database, silentLog, createMetrics("test"), {
    applicationName: "authkit test",
    poolMax: 16,
  });
  await migrateUp(database, silentLog);
  admin = new pg.Pool({ connectionString: created.url, max: 2 });
  if (config.redis === undefined) throw new Error("no Redis configured");
  redis = connectRedis(config.redis, silentLog, { name: "test" });
  bus = createBus(
    { redis, postgres: postgresClientConfig(config.database), schema: "profiles" },
    silentLog,
    systemRandom,
    {
      name: "test-bus",
    },
  );
});

beforeEach(async () => {
  for (const ring of rings.splice(0)) await ring.close();
  await admin.query("TRUNCATE profiles.signing_keys, profiles.audit_log");
  clock = testClock(1_782_475_200);
});

afterAll(async () => {
  for (const ring of rings) await ring.close();
  await bus.close();
  await redis.close();
  await database.close();
  await admin.end();
  await drop();
});

function context(changes: Partial<Config["keys"]> = {}) {
  return {
    config: { ...config, keys: { ...config.keys, ...changes } },
    database,
    bus,
    clock,
    random: systemRandom,
    log: silentLog,
  };
}

async function openRing(changes: Partial<Config["keys"]> = {}): Promise<KeyRing> {
  const ring = await createKeyRing(context(changes), { pollMs: 600_000 });
  rings.push(ring);
  return ring;
}

/** A process: it signs, and it verifies what others sign. */
function processOf(ring: KeyRing) {
  const tokens = createTokens(config, ring, clock, silentLog);
  const revocations = { access: () => "admitted" as const, confirm: async () => "admitted" as const };
  const authenticator = createAuthenticator({ config, keyring: ring, clock, log: silentLog, revocations });
  return {
    ring,
    sign: () => tokens.accessToken({ userId, mfaEnrolled: false }).token,
    accepts: async (token: string) => {
      try {
        return (await authenticator.authenticate(`Bearer ${token}`)).kind === "user";
      } catch {
        return false;
      }
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("managed keyring", () => {
  it("creates one first key however many processes start at once", async () => {
    const opened = await Promise.all(Array.from({ length: 8 }, () => openRing()));
    expect(new Set(opened.map((ring) => ring.current().etag)).size).toBe(1);
    expect(opened[0]?.current()).toMatchObject({ source: "managed", active: { algorithm: "ES256" } });
    const { rows } = await admin.query("SELECT state, private_sealed FROM profiles.signing_keys");
    expect(rows).toHaveLength(1);
    expect(rows[0].private_sealed.toString("latin1")).not.toContain("PRIVATE KEY");
  });

  it("makes keys of the configured algorithm", async () => {
    expect((await openRing({ algorithm: "EdDSA" })).current().active?.algorithm).toBe("EdDSA");
  });

  it("refuses to start with another secret", async () => {
    await openRing();
    await expect(openRing({ keyringSecret: Buffer.alloc(32, 2) })).rejects.toThrow(
      "AUTHKIT_KEYRING_SECRET does not open",
    );
  });

  it("is sealed anew with an exchanged secret, by many at once, under tokens that stay good", async () => {
    const [older, newer] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const prepared = await openRing({ keyringFormerSecrets: [newer] });
    await rotateSigningKeys(context({ keyringFormerSecrets: [newer] }), "routine");
    const token = processOf(prepared).sign();
    const exchanged = { keyringSecret: newer, keyringFormerSecrets: [older] };
    const successor = processOf(await openRing(exchanged));
    expect(await successor.accepts(token)).toBe(true);
    const done = await Promise.all(Array.from({ length: 6 }, () => resealSigningKeys(context(exchanged))));
    expect(done.map(({ stored }) => stored)).toEqual([2, 2, 2, 2, 2, 2]);
    expect(done.map(({ resealed }) => resealed).sort()).toEqual([0, 0, 0, 0, 0, 2]);
    expect(await processOf(await openRing({ keyringSecret: newer })).accepts(token)).toBe(true);
    await expect(openRing()).rejects.toThrow("add that one to AUTHKIT_KEYRING_FORMER_SECRETS");
    // Nodes that have not been given the new secret first would keep the keys they have.
    await prepared.reload();
    expect(prepared.current().active?.kid).toBe(successor.ring.current().active?.kid);
    const { rows } = await admin.query(
      "SELECT details FROM profiles.audit_log WHERE action = 'signing_key.resealed'",
    );
    expect(rows).toHaveLength(1);
  });

  it("is sealed anew as a whole or not at all", async () => {
    await openRing();
    const foreign = { keyringSecret: Buffer.alloc(32, 3) };
    await expect(resealSigningKeys(context(foreign))).rejects.toThrow("AUTHKIT_KEYRING_SECRET does not open");
    expect(await resealSigningKeys(context())).toEqual({ stored: 1, resealed: 0 });
  });

  it("rotates without a single refused token, for processes and for verifiers with a stale JWKS", async () => {
    const one = processOf(await openRing());
    const two = processOf(await openRing());
    /** A resource server: fetches the JWKS, keeps it for its whole lifetime. */
    let cached = { fetchedAt: clock.millis(), jwks: one.ring.current().jwks };
    const outside = async (token: string): Promise<boolean> => {
      if (clock.millis() - cached.fetchedAt >= 300_000)
        cached = { fetchedAt: clock.millis(), jwks: two.ring.current().jwks };
      const document: JSONWebKeySet = JSON.parse(cached.jwks.toString());
      return jwtVerify(token, createLocalJWKSet(document), { currentDate: clock.now() }).then(
        () => true,
        () => false,
      );
    };
    const first = one.ring.current().active?.kid;
    const outstanding: { token: string; until: number }[] = [];
    let checks = 0;

    for (let second = 0; second < 3_000; second += 30) {
      if (second === 300) await rotateSigningKeys(context(), "routine");
      // Each process polls once a minute, at different times.
      await (second % 60 === 0 ? one : two).ring.reload();
      for (const signer of [one, two]) {
        const token = signer.sign();
        outstanding.push({ token, until: clock.millis() + 900_000 });
        for (const verify of [one.accepts, two.accepts, outside]) {
          checks++;
          if (!(await verify(token))) throw new Error(`a new token was refused at second ${second}`);
        }
      }
      for (const { token, until: end } of outstanding.slice(-60)) {
        if (end < clock.millis()) continue;
        checks++;
        if (!(await two.accepts(token)))
          throw new Error(`an outstanding token was refused at second ${second}`);
      }
      clock.advance(30);
    }

    expect(checks).toBeGreaterThan(4_000);
    expect(one.ring.current().active?.kid).not.toBe(first);
    expect(two.ring.current().active?.kid).toBe(one.ring.current().active?.kid);
    expect([...one.ring.current().byKid.keys()]).toContain(first);
    const { rows } = await admin.query(
      "SELECT length(private_sealed) AS bytes FROM profiles.signing_keys WHERE state = 'retired'",
    );
    expect(rows).toEqual([{ bytes: 0 }]);

    clock.advance(2 * 86_400);
    await one.ring.reload();
    expect([...one.ring.current().byKid.keys()]).toEqual([one.ring.current().active?.kid]);
  });

  it("rotates on schedule", async () => {
    const ring = await openRing({ rotationSeconds: 86_400 });
    const first = ring.current().active?.kid;
    clock.advance(86_400 - 361);
    await ring.reload();
    expect(ring.current().byKid.size).toBe(1);
    clock.advance(1);
    await ring.reload();
    expect([ring.current().byKid.size, ring.current().active?.kid]).toEqual([2, first]);
    clock.advance(360);
    await ring.reload();
    expect(ring.current().active?.kid).not.toBe(first);
  });

  it("tells other processes at once when a key is activated now or all others are dropped", async () => {
    const one = processOf(await openRing());
    const two = processOf(await openRing());
    const old = one.sign();
    await rotateSigningKeys(context(), "now");
    await until(() => one.ring.current().byKid.size === 2 && two.ring.current().byKid.size === 2);
    expect([await one.accepts(old), await two.accepts(old), await two.accepts(one.sign())]).toEqual([
      true,
      true,
      true,
    ]);
    await rotateSigningKeys(context(), "emergency");
    await until(() => one.ring.current().byKid.size === 1 && two.ring.current().byKid.size === 1);
    expect([await one.accepts(old), await two.accepts(old), await two.accepts(one.sign())]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it("is consistent under simultaneous rotations", async () => {
    await openRing();
    await Promise.all(Array.from({ length: 6 }, () => rotateSigningKeys(context(), "now")));
    const { rows } = await admin.query<{ state: string }>("SELECT state FROM profiles.signing_keys");
    expect(rows.filter(({ state }) => state === "active")).toHaveLength(1);
    expect(rows.filter(({ state }) => state === "retired")).toHaveLength(6);
    await Promise.all(Array.from({ length: 6 }, () => rotateSigningKeys(context(), "routine")));
    const next = await admin.query("SELECT FROM profiles.signing_keys WHERE state = 'next'");
    expect(next.rowCount).toBe(1);
  });

  it("keeps the last good keys when the rows become unreadable", async () => {
    const ring = await openRing();
    const before = ring.current();
    await admin.query("UPDATE profiles.signing_keys SET private_sealed = '\\x01'");
    await ring.reload();
    expect(ring.current()).toBe(before);
  });
});

describe("keys command", () => {
  it("lists and rotates", async () => {
    const lines: string[] = [];
    const commandContext = {
      config: () => config,
      log: silentLog,
      print: (line: string) => void lines.push(line),
      connect: async () => ({ database, bus, close: async () => undefined }),
    };
    expect(await keysCommand(["list"], commandContext)).toBe(0);
    expect(lines[0]).toBe("source: managed");
    expect(lines[1]).toMatch(/^[\w-]{43} {2}ES256 {2}active {2}signed from 2/);
    lines.length = 0;
    expect(await keysCommand(["rotate"], commandContext)).toBe(0);
    expect(lines.map((line) => line.split("  ")[2])).toEqual(["active", "next"]);
    lines.length = 0;
    expect(await keysCommand(["rotate", "--now", "--drop-old"], commandContext)).toBe(0);
    expect(lines.map((line) => line.split("  ")[2])).toEqual(["active"]);
    expect(await keysCommand(["rotate", "--drop-old"], commandContext)).toBe(2);
    expect(await keysCommand(["nonsense"], commandContext)).toBe(2);
    expect(await keysCommand(["--help"], commandContext)).toBe(0);
    expect(lines.join("\n")).not.toContain("PRIVATE");
  });

  it("generates a file the server takes, and never overwrites one", async () => {
    const directory = await mkdtemp(join(tmpdir(), "authkit-keys-"));
    try {
      const out = join(directory, "keys.json");
      const commandContext = {
        config: (): Config => {
          throw new Error("not needed");
        },
        log: silentLog,
        print: () => undefined,
        connect: () => Promise.reject(new Error("not needed")),
      };
      expect(
        await keysCommand(["generate", "--alg", "EdDSA", "--kid", "prod-1", "--out", out], commandContext),
      ).toBe(0);
      expect((await stat(out)).mode & 0o777).toBe(0o600);
      const ring = await openRing({ path: directory });
      expect(ring.current()).toMatchObject({ source: "file", active: { kid: "prod-1", algorithm: "EdDSA" } });
      await expect(keysCommand(["generate", "--out", out], commandContext)).rejects.toThrow("EEXIST");
      expect(await keysCommand(["generate", "--alg", "HS256"], commandContext)).toBe(2);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
