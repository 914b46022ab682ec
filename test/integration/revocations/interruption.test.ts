import { describe, expect, it } from "vitest";
import { startTestRedis } from "../../support/redis.ts";
import { context, eventually, openDeployment } from "./fixture.ts";

const ban = { reason: null, until: null, bannedBy: null };
const guard = { ownerGuard: "warn" } as const;

describe("while the feed is interrupted", () => {
  it("over Redis, a ban still acts within a second, and everything is known when it is back", async () => {
    const redis = await startTestRedis();
    const deployment = await openDeployment({ redisUrl: redis.url });
    try {
      const here = deployment.first;
      const there = deployment.node();
      await here.revocations.start();
      await there.revocations.start();
      const before = await deployment.signIn();
      const during = await deployment.signIn();
      const ended = await deployment.signIn();
      const innocent = await deployment.signIn();
      await here.users.ban({ userId: before.userId, ...ban }, context, guard);
      await redis.stop();
      await eventually(async () => String(there.bus.connected()), "false");

      expect(await there.try(during.token)).toBe("user");
      const asked = Date.now();
      await here.users.ban({ userId: during.userId, ...ban }, context, guard);
      await here.sessions.revoke(ended.userId, ended.sessionId, "logout", context);
      expect(await here.try(during.token)).toBe("user_disabled");
      await eventually(() => there.try(during.token), "user_disabled", 1_500);
      await eventually(() => there.try(ended.token), "token_revoked", 1_500);
      expect(await there.try(before.token)).toBe("user_disabled");
      expect(await there.try(innocent.token)).toBe("user");
      expect(Date.now() - asked).toBeLessThan(10_000);

      const again = await startTestRedis({ port: redis.port });
      try {
        await eventually(async () => String(there.bus.connected()), "true", 15_000);
        // Certain again: an innocent user costs no question any more.
        await eventually(async () => {
          const reads = there.accessReads();
          await there.try(innocent.token);
          return String(there.accessReads() - reads);
        }, "0");
        expect(await there.try(during.token)).toBe("user_disabled");
        expect(await there.try(ended.token)).toBe("token_revoked");
      } finally {
        await deployment.close();
        await again.stop();
      }
    } finally {
      await deployment.close().catch(() => undefined);
      await redis.stop();
    }
  });

  it("over PostgreSQL, connections cut by the server are noticed and made up for", async () => {
    const deployment = await openDeployment({ redisUrl: undefined });
    try {
      const here = deployment.first;
      const there = deployment.node();
      await here.revocations.start();
      await there.revocations.start();
      const { token, userId } = await deployment.signIn();
      expect(await there.try(token)).toBe("user");
      // The ban lands exactly while nobody listens.
      await deployment.query(
        `WITH cut AS (
           SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'authkit bus' AND datname = current_database()
         ) UPDATE S.users SET banned_at = now(), ban_reason = 'x' WHERE id = $1 AND (SELECT count(*) FROM cut) >= 0`,
        [userId],
      );
      await eventually(() => there.try(token), "user_disabled", 3_000);
      await eventually(() => here.try(token), "user_disabled", 3_000);
      await eventually(async () => String(there.bus.connected()), "true");
      expect(await there.try(token)).toBe("user_disabled");
    } finally {
      await deployment.close();
    }
  });
});
