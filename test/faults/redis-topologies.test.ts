import { afterAll, beforeAll, expect, test } from "vitest";
import { api, behindProxy, newPerson } from "../support/accounts.ts";
import { type ClusterOptions, startCluster, type TestCluster } from "../support/cluster.ts";
import { nothingFailed, onlyOutage, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost } from "../support/outcome.ts";
import { recovers, redisAnswers } from "../support/recovery.ts";
import type { TestRedis } from "../support/redis.ts";
import { documentedUser, redisUserPrefix } from "../support/redis-rights.ts";
import { denials, startRedisCluster, startSentinelRedis } from "../support/redis-topologies.ts";
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
      AUTHKIT_REDIS_KEY_PREFIX: redisUserPrefix,
      ...sending(mail),
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
  const { code } = await waitForMessage(mail, email, 120_000);
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

test.for<[string, (primary: TestRedis) => Promise<void> | void]>([
  ["is killed", (primary) => primary.kill()],
  ["hangs", (primary) => primary.pause()],
])(
  "the primary behind Sentinel %s under load: the cluster follows to the new one, nothing acknowledged is lost",
  { timeout: 300_000 },
  async (row, { annotate }) => {
    const [kind, lose] = row;
    const redis = await startSentinelRedis(await documentedUser());
    const cluster = await startCluster(serving(redis.url));
    try {
      const load = await startLoad(cluster, { mail });
      await everyKindSucceeds(load);
      const early = await asksForCode(cluster);

      await lose(redis.primary);
      let failedOver = false;
      const recovered = await recovers({
        of: `Redis behind Sentinel, whose primary ${kind}`,
        back: async () => {
          await redis.failedOver();
          failedOver = true;
        },
        answers: async () => failedOver && (await redisAnswers(redis.replica.port)),
        serves: () => answersOfCodes(cluster),
        tell: annotate,
      });
      await everyKindSucceeds(load);
      // The code from before is known to the new primary.
      expect(await confirms(cluster, early)).toBe("200");
      // The old primary comes back as a replica, and nobody falls for it.
      redis.primary.resume();
      await everyKindSucceeds(load);
      await load.stop();

      onlyOutage(load, { limits: true });
      // Neither sessions nor the management API need Redis.
      expect([...load.refreshes.refused, ...load.calls.refused]).toEqual([]);
      // Redis replicates asynchronously: a code from the last moments may be unknown, one from afterwards may not.
      await nothingLost(cluster, load, annotate, { codesSince: recovered.at });
      expect(await denials(redis.replica)).toEqual([]);
    } finally {
      await cluster.stop();
      await redis.stop();
    }
  },
);

test("slots of a Redis Cluster move under load: every request is answered as if nothing happened, and what the slots hold comes along", async ({
  annotate,
}) => {
  const redis = await startRedisCluster(await documentedUser("cluster"));
  const cluster = await startCluster(serving(redis.url));
  try {
    const load = await startLoad(cluster, { mail });
    const early = await Promise.all(Array.from({ length: 12 }, () => asksForCode(cluster)));

    const moved = await redis.moveSlots(2_000);
    expect(moved).toBeGreaterThan(10);
    expect(await Promise.all(early.map((one) => confirms(cluster, one)))).toEqual(early.map(() => "200"));
    await everyKindSucceeds(load, 10);
    await load.stop();

    nothingFailed(load);
    await nothingLost(cluster, load, annotate);
    expect(await Promise.all(redis.nodes.map(denials))).toEqual([[], [], []]);
  } finally {
    await cluster.stop();
    await redis.stop();
  }
}, 300_000);
