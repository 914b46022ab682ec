import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { context, type Deployment, eventually, type Node, openDeployment } from "./fixture.ts";

const ban = { reason: null, until: null, bannedBy: null };
const guard = { ownerGuard: "warn" } as const;

/** A message on its way to another process takes milliseconds; nothing here may wait for anything slower. */
const moment = 500;

describe.each(["Redis", "PostgreSQL"])("two processes over a %s bus", (kind) => {
  let deployment: Deployment;
  let here: Node;
  let there: Node;

  beforeAll(async () => {
    deployment = await openDeployment({ redisUrl: kind === "Redis" ? inject("redisUrl") : undefined });
    here = deployment.first;
    there = deployment.node();
    await here.revocations.start();
    await there.revocations.start();
  });

  afterAll(() => deployment.close());

  it("nobody is asked about while nothing happens", async () => {
    const { token, userId } = await deployment.signIn();
    const before = there.accessReads();
    for (let n = 0; n < 20; n++) expect(await there.try(token)).toBe("user");
    expect(there.accessReads()).toBe(before);
    expect(there.revocations.access(userId, undefined)).toBe("admitted");
  });

  it("a ban here refuses the next request here, and there once it has been answered", async () => {
    const { token, userId } = await deployment.signIn();
    expect([await here.try(token), await there.try(token)]).toEqual(["user", "user"]);
    await here.users.ban({ userId, ...ban }, context, guard);
    expect(await here.try(token)).toBe("user_disabled");
    await eventually(() => there.try(token), "user_disabled", moment);
  });

  it("a token without a session dies with its account as well", async () => {
    const { userId } = await deployment.signIn();
    await here.users.ban({ userId, ...ban }, context, guard);
    await eventually(async () => there.revocations.access(userId, undefined), "user_disabled", moment);
  });

  it("after an unban a new login works everywhere at once", async () => {
    const { userId } = await deployment.signIn();
    await here.users.ban({ userId, ...ban }, context, guard);
    await eventually(async () => there.revocations.access(userId, undefined), "user_disabled", moment);
    await here.users.unban(userId, context);
    const again = await deployment.signIn(here, userId);
    expect(await here.try(again.token)).toBe("user");
    await eventually(() => there.try(again.token), "user", moment);
  });

  it("a ban that has ended by itself refuses nobody", async () => {
    const { userId } = await deployment.signIn();
    await here.users.ban({ userId, ...ban, until: new Date(Date.now() + 300) }, context, guard);
    await eventually(async () => there.revocations.access(userId, undefined), "user_disabled", moment);
    await new Promise((resolve) => setTimeout(resolve, 350));
    const again = await deployment.signIn(here, userId);
    await eventually(() => there.try(again.token), "user", 1_500);
  });

  it("deletion, soft and for good, ends access", async () => {
    const soft = await deployment.signIn();
    const hard = await deployment.signIn();
    await here.users.softDelete(soft.userId, context, guard);
    await here.users.hardDelete(hard.userId, context, guard);
    await eventually(() => there.try(soft.token), "user_disabled", moment);
    await eventually(() => there.try(hard.token), "user_disabled", moment);
    await here.users.restore(soft.userId, context);
    const again = await deployment.signIn(here, soft.userId);
    await eventually(() => there.try(again.token), "user", moment);
  });

  it("reserving an account ends access", async () => {
    const { token, userId } = await deployment.signIn();
    await here.users.patchMetadata(userId, { reserved: true }, context);
    await eventually(() => there.try(token), "user_disabled", moment);
  });

  it("an ended session dies alone", async () => {
    const one = await deployment.signIn();
    const two = await deployment.signIn(here, one.userId);
    expect(await here.sessions.revoke(one.userId, one.sessionId, "logout", context)).toBe(true);
    expect(await here.try(one.token)).toBe("token_revoked");
    await eventually(() => there.try(one.token), "token_revoked", moment);
    expect([await here.try(two.token), await there.try(two.token)]).toEqual(["user", "user"]);
  });

  it("many revocations at once all arrive", async () => {
    const signedIn = await Promise.all(Array.from({ length: 40 }, () => deployment.signIn()));
    await Promise.all(signedIn.map(({ userId }) => here.users.ban({ userId, ...ban }, context, guard)));
    for (const { token } of signedIn) await eventually(() => there.try(token), "user_disabled", moment);
    const ids = Array.from(
      { length: 1_000 },
      (_, n) => `019f0000-0000-7000-8000-${String(n).padStart(12, "0")}`,
    );
    await Promise.all(ids.map((id) => here.revocations.revokeSession(id)));
    const missing = async () => String(ids.filter((id) => !there.revocations.isSuspect("", id)).length);
    await eventually(missing, "0", moment);
  });

  it("the database is asked once a second about a refused user, not for each request", async () => {
    const { token, userId } = await deployment.signIn();
    await here.users.ban({ userId, ...ban }, context, guard);
    await eventually(() => there.try(token), "user_disabled", moment);
    const before = there.accessReads();
    await Promise.all(Array.from({ length: 200 }, () => there.try(token)));
    expect(there.accessReads() - before).toBeLessThanOrEqual(2);
  });

  it("a process that starts later knows what happened before", async () => {
    const banned = await deployment.signIn();
    const deleted = await deployment.signIn();
    const reserved = await deployment.signIn();
    const ended = await deployment.signIn();
    const swept = await deployment.signIn();
    const untouched = await deployment.signIn();
    await here.users.ban({ userId: banned.userId, ...ban }, context, guard);
    await here.users.hardDelete(deleted.userId, context, guard);
    await here.users.patchMetadata(reserved.userId, { reserved: true }, context);
    for (const { userId, sessionId } of [ended, swept])
      await here.sessions.revoke(userId, sessionId, "logout", context);
    await deployment.query("DELETE FROM S.refresh_sessions WHERE id = $1", [swept.sessionId]);
    const late = deployment.node();
    expect(await late.try(banned.token)).toBe("user_disabled");
    expect(await late.try(untouched.token)).toBe("user");
    await late.revocations.start();
    expect(await late.try(banned.token)).toBe("user_disabled");
    expect(await late.try(deleted.token)).toBe("user_disabled");
    expect(await late.try(reserved.token)).toBe("user_disabled");
    expect(await late.try(ended.token)).toBe("token_revoked");
    expect(await late.try(swept.token)).toBe("token_revoked");
    const before = late.accessReads();
    expect(await late.try(untouched.token)).toBe("user");
    expect(late.accessReads()).toBe(before);
    await late.close();
  });
});

describe("a lost message", () => {
  it("is made up for by the periodic comparison", async () => {
    const deployment = await openDeployment({ redisUrl: inject("redisUrl"), resyncMs: 100 });
    try {
      const node = deployment.first;
      await node.revocations.start();
      const { token, userId, sessionId } = await deployment.signIn();
      const other = await deployment.signIn();
      expect(await node.try(token)).toBe("user");
      await deployment.query("UPDATE S.users SET banned_at = now(), ban_reason = 'by hand' WHERE id = $1", [
        userId,
      ]);
      await deployment.query("UPDATE S.refresh_sessions SET revoked_at = now() WHERE id = $1", [
        other.sessionId,
      ]);
      await eventually(() => node.try(token), "user_disabled");
      await eventually(() => node.try(other.token), "token_revoked");
      expect(sessionId).not.toBe(other.sessionId);
    } finally {
      await deployment.close();
    }
  });
});
