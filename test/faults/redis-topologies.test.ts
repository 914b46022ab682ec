import { afterAll, beforeAll, expect, test } from "vitest";
import { api, behindProxy, newPerson } from "../support/accounts.ts";
import { type ClusterOptions, startCluster, type TestCluster } from "../support/cluster.ts";
import { mailOutcome, startCodeLoad } from "../support/code-load.ts";
import { nothingFailed, onlyOutage, startLoad, type Tally } from "../support/load.ts";
import { lostOf, recoveryMs, until } from "../support/outcome.ts";
import type { TestRedis } from "../support/redis.ts";
import { startRedisCluster, startSentinelRedis } from "../support/redis-topologies.ts";
import { type SmtpSink, startSmtpSink, waitForMessage } from "../support/smtp.ts";

let mail: SmtpSink;

beforeAll(async () => {
  mail = await startSmtpSink();
});
afterAll(() => mail?.stop());

/** Limits are on: they are most of what Redis is asked. */
function serving(redisUrl: string): ClusterOptions {
  return {
    env: {
      ...behindProxy,
      AUTHKIT_REDIS_URL: redisUrl,
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
      AUTHKIT_SMTP_URL: mail.url,
      AUTHKIT_MAIL_FROM: "auth@example.com",
    },
  };
}

interface Asked {
  readonly email: string;
  readonly code: string;
}

async function asksForCode(cluster: TestCluster): Promise<Asked> {
  const { email } = newPerson();
  const reply = await api(cluster, "/passwordless/start", { body: { identifier: email, mode: "code" } });
  expect(reply.status, reply.text).toBe(202);
  const { code } = await waitForMessage(mail, email, 60_000);
  return { email, code };
}

async function confirms(cluster: TestCluster, { email, code }: Asked): Promise<string> {
  const reply = await api(cluster, "/passwordless/confirm", { body: { identifier: email, code } });
  return `${reply.status} ${reply.code ?? ""}`.trim();
}

/** Whether a wrong code is told so: the limiter, which refuses when it cannot count, and the codes are at work in every http worker asked. */
async function answersOfCodes(cluster: TestCluster): Promise<boolean> {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () =>
      api(cluster, "/passwordless/confirm", {
        body: { identifier: newPerson().email, code: "000000" },
        headers: { connection: "close" },
      }),
    ),
  );
  return answers.every(({ code }) => code === "invalid_or_expired_code");
}

/** The promise is two seconds; a machine four times as slow keeps this. */
const recoveredMs = 8_000;

test.each<[string, (primary: TestRedis) => Promise<void> | void]>([
  ["is killed", (primary) => primary.kill()],
  ["hangs", (primary) => primary.pause()],
])(
  "the primary behind Sentinel %s under load: the cluster follows to the new one, nothing acknowledged is lost",
  async (...row) => {
    const [, lose] = row;
    const redis = await startSentinelRedis();
    const cluster = await startCluster(serving(redis.url));
    try {
      const load = await startLoad(cluster);
      const codes = startCodeLoad(cluster, mail);
      const parts = [load.registrations, load.refreshes, load.calls, codes.starts, codes.confirmations];
      const allSucceed = (): Promise<void> => {
        const before = parts.map(({ succeeded }) => succeeded);
        return until("every kind of request succeeds", 30, () =>
          parts.every(({ succeeded }, index) => succeeded > (before[index] ?? 0) + 3),
        );
      };
      await allSucceed();
      const early = await asksForCode(cluster);

      await lose(redis.primary);
      await redis.failedOver();
      expect(await recoveryMs(() => answersOfCodes(cluster))).toBeLessThan(recoveredMs);
      const recovered = performance.now();
      await allSucceed();
      // The code from before is known to the new primary.
      expect(await confirms(cluster, early)).toBe("200");
      // The old primary comes back as a replica, and nobody falls for it.
      redis.primary.resume();
      await allSucceed();
      await Promise.all([load.stop(), codes.stop()]);

      onlyOutage(load);
      // Neither sessions nor the management API need Redis.
      expect([...load.refreshes.refused, ...load.calls.refused]).toEqual([]);
      // Limits of what can be guessed refuse while they cannot count.
      const outage = ({ refused }: Tally): number[] =>
        [...refused.keys()].filter((status) => ![400, 429, 503].includes(status));
      expect([...outage(codes.starts), ...outage(codes.confirmations)]).toEqual([]);
      // Redis replicates asynchronously: a code from the last moments may be unknown, one from afterwards may not.
      expect(codes.refusedCodes.filter(({ arrived }) => arrived > recovered)).toEqual([]);
      expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
      expect(mailOutcome(codes, mail)).toMatchObject({ missing: [], duplicated: [] });
    } finally {
      await cluster.stop();
      await redis.stop();
    }
  },
  180_000,
);

test("slots of a Redis Cluster move under load: every request is answered as if nothing happened, and what the slots hold comes along", async () => {
  const redis = await startRedisCluster();
  const cluster = await startCluster(serving(redis.url));
  try {
    const load = await startLoad(cluster);
    const codes = startCodeLoad(cluster, mail);
    const early = await Promise.all(Array.from({ length: 12 }, () => asksForCode(cluster)));
    const seen = [load.registrations.succeeded, codes.confirmations.succeeded];

    const moved = await redis.moveSlots(2_000);
    expect(moved).toBeGreaterThan(10);
    expect(await Promise.all(early.map((one) => confirms(cluster, one)))).toEqual(early.map(() => "200"));
    await until("more requests of every kind", 30, () => {
      return (
        load.registrations.succeeded > (seen[0] ?? 0) + 10 &&
        codes.confirmations.succeeded > (seen[1] ?? 0) + 5
      );
    });
    await Promise.all([load.stop(), codes.stop()]);

    nothingFailed(load);
    for (const part of [codes.starts, codes.confirmations])
      expect({ ...part, succeeded: 0 }).toEqual({
        succeeded: 0,
        unanswered: 0,
        refused: new Map(),
        lastFailure: 0,
        samples: [],
      });
    expect(await lostOf(cluster, load)).toEqual({ accounts: [], sessions: [] });
    expect(mailOutcome(codes, mail)).toMatchObject({ missing: [], duplicated: [] });
  } finally {
    await cluster.stop();
    await redis.stop();
  }
}, 180_000);
