import { afterAll, beforeAll, expect, test } from "vitest";
import { api, behindProxy, newAddress, newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, request } from "../support/http.ts";

/** What existing clients do not expect is off by default; here it is on. */
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_DISCOVERY: "on",
      AUTHKIT_MACHINE_TOKEN_IDS: "on",
      AUTHKIT_PASSKEYS: "off",
    },
  });
});
afterAll(() => cluster.stop());

const second = 1e9;

function claims(token: unknown): Record<string, unknown> {
  const parsed: unknown = JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString());
  return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
}

test("verifiers can configure themselves", async () => {
  const url = `${cluster.url}/.well-known/authkit-configuration`;
  const reply = await request(url);
  expect([reply.status, reply.body]).toEqual([
    200,
    {
      issuer: cluster.url,
      jwks_uri: `${cluster.url}/.well-known/jwks.json`,
      signing_alg_values_supported: ["ES256"],
    },
  ]);
  expect(reply.headers.get("access-control-allow-origin")).toBe("*");
  expect(reply.headers.get("cache-control")).toBe("public, max-age=300, must-revalidate");
  const keys: unknown = (await request(String(reply.body["jwks_uri"]))).body["keys"];
  expect(keys).toMatchObject([{ alg: "ES256" }]);
  const refused = await request(url, { method: "POST", body: {} });
  expect([refused.status, refused.code]).toEqual([405, "method_not_allowed"]);
});

test("every machine token has an id, unless the caller gave it one", async () => {
  const mint = async (method: string, args: unknown) =>
    claims((await call(cluster, method, args)).body["result"]);
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7/;
  expect((await mint("MintRemoteApplicationAccessToken", { p: {} }))["jti"]).toMatch(uuid);
  const opts = { Claims: { kind: "upload" }, TTL: 60 * second, Subject: "job" };
  expect((await mint("MintCustomJWT", { opts }))["jti"]).toMatch(uuid);
  const own = await mint("MintCustomJWT", { opts: { ...opts, Claims: { jti: "mine" } } });
  expect(own["jti"]).toBe("mine");
});

test("replies say what is left of the tightest limit, not the refusals alone", async () => {
  const ip = newAddress();
  const { email } = newPerson();
  const ask = () => api(cluster, "/email/password/reset/request", { body: { email }, ip });
  const first = await ask();
  expect(first.status).toBe(202);
  const left = (name: string) => Number(first.headers.get(`ratelimit-${name}`));
  expect([left("limit"), left("remaining"), left("reset")]).toEqual([6, 5, 3600]);
  const { accessToken } = await registered(cluster);
  const me = await api(cluster, "/me", { bearer: accessToken });
  expect(Number(me.headers.get("ratelimit-remaining"))).toBe(Number(me.headers.get("ratelimit-limit")) - 1);
  expect((await request(`${cluster.url}/healthz`)).headers.get("ratelimit-limit")).toBeNull();
});

test("without passkeys there are no routes for them", async () => {
  const reply = await api(cluster, "/passkeys/login/begin", { method: "POST", body: {} });
  expect([reply.status, reply.code]).toEqual([404, "not_found"]);
  expect((await api(cluster, "/capabilities")).body["passkeys"]).toEqual({ login: false });
});
