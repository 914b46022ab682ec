import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { api, behindProxy, newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({
    env: { ...behindProxy, AUTHKIT_PASSWORD_BREACHED_CHECK: "true", AUTHKIT_PASSWORD_CONTEXT_WORDS: "acme" },
  });
});
afterAll(() => cluster?.stop());

const judge = (body: unknown) => api(cluster, "/password/strength", { body });

describe("POST /password/strength", () => {
  it.each([
    [{ password: "password1" }, { score: 0, bits: 0, hints: ["common"], refusal: "password_too_common" }],
    [{ password: "vk7qz" }, { score: 2, bits: 20, hints: ["longer"], refusal: "password_too_short" }],
    [{ password: "aaaaaaaaaaaa" }, { score: 0, hints: ["repetition", "longer"], refusal: null }],
    [{ password: "acme-acme-1" }, { score: 0, refusal: "password_too_common" }],
    [
      { password: "ana.smith!", email: "ana.smith@example.com", username: "anasmith" },
      { score: 0, refusal: "password_too_common" },
    ],
    [{ password: "horse staple battery correct" }, { score: 4, hints: [], refusal: null }],
  ])("judges %j", async (body, expected) => {
    const reply = await judge(body);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ ...expected, accepted: expected.refusal === null });
  });

  it("says what registration does", async () => {
    for (const password of ["password1", "acme-acme-1", "short"]) {
      const { email, username } = newPerson();
      const refused = await api(cluster, "/register", { body: { identifier: email, username, password } });
      const { body } = await judge({ password, email, username });
      expect([refused.status, refused.code]).toEqual([400, body["refusal"]]);
    }
  });

  it("reads no more than the policy does", async () => {
    const reply = await judge({ password: "correct horse ".repeat(2_000) });
    expect([reply.status, reply.body["refusal"]]).toEqual([200, "invalid_request"]);
    expect((await judge({ password: 12 })).code).toBe("invalid_request");
    expect((await judge({})).code).toBe("invalid_request");
  });

  it("asks nobody to come back sixty times a minute", async () => {
    const ip = "203.0.113.77";
    const ask = () => api(cluster, "/password/strength", { body: { password: "x" }, ip });
    for (let i = 0; i < 60; i++) expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect([refused.status, refused.code]).toEqual([429, "rate_limited"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("keeps the password out of the log", async () => {
    await judge({ password: "something nobody may read" });
    expect(cluster.output()).not.toContain("something nobody may read");
  });
});
