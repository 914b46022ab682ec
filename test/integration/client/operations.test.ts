import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, createRemoteClient } from "../../../src/client/index.ts";
import { startCluster, type TestCluster } from "../../support/cluster.ts";

let cluster: TestCluster;
let client: Client;

beforeAll(async () => {
  cluster = await startCluster();
  client = createRemoteClient(cluster.url, cluster.managementToken);
});
afterAll(() => cluster?.stop());

const unknown = "019f0000-0000-7000-8000-0000000000aa";

describe("accounts through a whole cluster", () => {
  test("created, found in every way, listed, counted", async () => {
    const user = await client.createUser({ email: "Ana@Example.com", username: "ana_r" });
    expect(user).toMatchObject({
      email: "ana@example.com",
      username: "ana_r",
      emailVerified: false,
      bannedAt: null,
    });
    for (const found of await Promise.all([
      client.getUserByEmail({ email: "ANA@example.com" }),
      client.getUserByUsername({ username: "Ana_R" }),
    ])) {
      expect(found.id).toBe(user.id);
    }
    expect(await client.getEmailByUserId({ id: user.id })).toBe("ana@example.com");
    expect(await client.usersByIds({ ids: [user.id, unknown, user.id] })).toEqual([
      { id: user.id, username: "ana_r", email: "ana@example.com" },
    ]);
    expect(await client.usersByIds({ ids: [] })).toBeNull();
    const page = await client.adminListUsers({ opts: { search: "ANA_" } });
    expect(page).toMatchObject({ total: 1, limit: 50, offset: 0 });
    expect(page.users?.[0]).toMatchObject({ id: user.id, roles: null, entitlements: null });
    expect(await client.adminCountUsers({ opts: { status: "banned" } })).toBe(0);
    expect((await client.adminListUsers({ opts: { search: "nobody" } })).users).toBeNull();
    await expect(client.createUser({ email: "ana@example.com", username: "other" })).rejects.toMatchObject({
      code: "email_in_use",
      status: 422,
    });
  });

  test("refusals name what is wrong", async () => {
    await expect(client.getUserByEmail({ email: "nobody@example.com" })).rejects.toMatchObject({
      code: "user_not_found",
    });
    await expect(client.adminGetUser({ id: "no-uuid" })).rejects.toMatchObject({ code: "invalid_user" });
    await expect(client.banUser({ userId: "", bannedBy: "" })).rejects.toMatchObject({
      code: "invalid_user",
    });
    await expect(client.adminCountUsers({ opts: { entitlement: "pro" } })).rejects.toMatchObject({
      code: "authkit: entitlement filtering requires an EntitlementFilterProvider",
    });
    await expect(client.exchangeRefreshToken({ refreshToken: "x", ua: "" })).rejects.toMatchObject({
      code: "invalid refresh token",
    });
  });

  test("passwords, bans and tokens", async () => {
    const { id } = await client.createUser({ email: "bo@example.com", username: "bo_bo" });
    await client.adminSetPassword({ userId: id, new: "a long enough secret" });
    expect(await client.verifyUserPassword({ userId: id, pass: "a long enough secret" })).toBe(true);
    expect(await client.verifyUserPassword({ userId: id, pass: "another" })).toBe(false);
    const issued = await client.issueAccessToken({
      userId: id,
      email: "",
      extra: { color: "red", roles: ["x"] },
    });
    const claims: unknown = JSON.parse(
      Buffer.from(issued.token.split(".")[1] ?? "", "base64url").toString("utf8"),
    );
    expect(claims).toMatchObject({ sub: id, color: "red" });
    expect(claims).not.toHaveProperty("roles");
    expect(Math.abs(issued.expiresAt.getTime() - Date.now() - 900_000)).toBeLessThan(5_000);
    await client.banUser({
      userId: id,
      reason: " spam ",
      until: new Date(Date.now() + 3_600_000),
      bannedBy: "",
    });
    expect(await client.isUserAllowed({ userId: id })).toBe(false);
    expect(await client.adminGetUser({ id })).toMatchObject({ banReason: "spam", bannedBy: null });
    await expect(client.issueAccessToken({ userId: id, email: "" })).rejects.toMatchObject({
      code: "user_banned",
    });
    await client.unbanUser({ userId: id });
    expect(await client.isUserAllowed({ userId: id })).toBe(true);
  });

  test("metadata keeps what it is given", async () => {
    const { id } = await client.createUser({ email: "cy@example.com", username: "cy_cy" });
    expect(await client.getUserMetadata({ userId: id })).toEqual({});
    await client.patchUserMetadata({ userId: id, patch: { a: { b: [1, "<x>"] }, n: null } });
    await client.patchUserMetadata({ userId: id, patch: { a: 2 } });
    expect(await client.getUserMetadata({ userId: id })).toEqual({ a: 2, n: null });
  });

  test("import and deletion", async () => {
    const report = await client.importUsers({
      inputs: [
        { username: "imported-one", email: "one@example.com", emailVerified: true },
        { username: "imported-one" },
        { username: "x" },
      ],
    });
    expect(report).toMatchObject({ inserted: 1, skipped: 1, rejected: 1 });
    expect(report.results.map(({ status, reason }) => [status, reason])).toEqual([
      ["inserted", ""],
      ["skipped", "duplicate_in_batch"],
      ["rejected", "username_too_short"],
    ]);
    const id = report.results[0]?.userId ?? "";
    await client.softDeleteUser({ id });
    expect(await client.publicUsersByIds({ ids: [id] })).toMatchObject({
      [id]: { deleted: true, username: "" },
    });
    expect(
      await client.listUsersDeletedBefore({ cutoff: new Date(Date.now() + 60_000), limit: 0 }),
    ).toContain(id);
    expect(await client.hardDeleteUsers({ userIds: [id, "no-uuid", id] })).toEqual([
      { id, error: "" },
      { id: "no-uuid", error: "invalid_user" },
      { id, error: "" },
    ]);
    await expect(client.adminGetUser({ id })).rejects.toMatchObject({ code: "user_not_found" });
  });
});
