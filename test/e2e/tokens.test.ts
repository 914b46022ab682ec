import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, request, type TestReply } from "../support/http.ts";

const secret = "a secret of this test only";
const second = 1e9;
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster({
    env: { ...behindProxy, AUTHKIT_DEV_MINT_SECRET: secret, AUTHKIT_AUDIENCES: "authkit,billing-app" },
  });
});
afterAll(() => cluster?.stop());

function part(token: unknown, index: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(token).split(".")[index] ?? "", "base64url").toString());
}

function failure(reply: TestReply): [number, unknown] {
  return [reply.status, Reflect.get(Object(reply.body["error"]), "code")];
}

function result(reply: TestReply): unknown {
  if (reply.status !== 200) throw new Error(reply.text);
  return reply.body["result"];
}

const now = (): number => Math.floor(Date.now() / 1000);

async function person() {
  const account = await registered(cluster);
  return {
    ...account,
    id: String(part(account.accessToken, 1)["sub"]),
    claims: part(account.accessToken, 1),
  };
}

describe("the key set", () => {
  const url = (): string => `${cluster.url}/.well-known/jwks.json`;

  test("has exactly the public members, a strong tag of its bytes, and is cached for five minutes", async () => {
    const reply = await request(url());
    expect(reply.status).toBe(200);
    expect(reply.text).toMatch(
      /^\{"keys":\[\{"kty":"EC","use":"sig","kid":"dev-\d+","alg":"ES256","crv":"P-256","x":"[\w-]{43}","y":"[\w-]{43}"\}\]\}$/,
    );
    const headers = Object.fromEntries(
      ["content-type", "cache-control", "etag", "x-content-type-options", "access-control-allow-origin"].map(
        (name) => [name, reply.headers.get(name)],
      ),
    );
    expect(headers).toEqual({
      "content-type": "application/json",
      "cache-control": "public, max-age=300, must-revalidate",
      etag: `"${createHash("sha256").update(reply.text).digest("hex")}"`,
      "x-content-type-options": "nosniff",
      "access-control-allow-origin": "*",
    });
  });

  test("is not sent again to whom has it", async () => {
    const tag = (await request(url())).headers.get("etag") ?? "";
    for (const known of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
      const reply = await request(url(), { headers: { "if-none-match": known } });
      expect([reply.status, reply.text, reply.headers.get("etag")]).toEqual([304, "", tag]);
      expect(reply.headers.get("cache-control")).toBe("public, max-age=300, must-revalidate");
    }
    expect((await request(url(), { headers: { "if-none-match": '"x"' } })).status).toBe(200);
  });

  test("is for GET and HEAD, and takes no part in the prefix", async () => {
    const full = await request(url());
    const head = await request(url(), { method: "HEAD" });
    expect([head.status, head.text, head.headers.get("etag")]).toEqual([200, "", full.headers.get("etag")]);
    expect(head.headers.get("content-length")).toBe(String(full.text.length));
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const refused = await request(url(), { method });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
    expect((await request(`${cluster.api}/.well-known/jwks.json`)).status).toBe(404);
  });
});

describe("access tokens", () => {
  test("carry the compact claim set of a sign-in, and no more", async () => {
    const { accessToken, claims, id } = await person();
    expect(Object.keys(part(accessToken, 0))).toEqual(["alg", "kid", "typ"]);
    expect(part(accessToken, 0)).toMatchObject({ alg: "ES256", typ: "access+jwt" });
    expect(Object.keys(claims)).toEqual([
      ...["acr", "amr", "aud", "auth_time", "entitlements", "exp", "iat", "iss", "sid", "sub"],
    ]);
    expect(claims).toMatchObject({
      ...{ acr: "urn:authkit:loa:1", amr: ["pwd"], aud: ["authkit", "billing-app"], entitlements: null },
      ...{ iss: cluster.url, sub: id, exp: Number(claims["iat"]) + 900 },
    });
  });

  test.each(["IssueAccessToken", "MintAccessToken"])(
    "%s: what callers may bring, and what not",
    async (method) => {
      const { id, claims } = await person();
      const mint = (extra: object) => call(cluster, method, { userID: id, email: "ignored", extra });
      const reply = await mint({
        ...{ sid: claims["sid"], color: "red", provider: "acme", "2fa_enrollment": false },
        ...{
          roles: ["owner"],
          amr: ["otp"],
          acr: "x",
          auth_time: 1,
          jti: "j",
          email: "e",
          iss: "x",
          sub: "x",
          exp: 1,
        },
      });
      const { r0, r1 } = Object(result(reply));
      const made = part(r0, 1);
      expect(made).toEqual({
        ...{ acr: "urn:authkit:loa:1", amr: ["pwd"], aud: ["authkit", "billing-app"], entitlements: null },
        ...{ iss: cluster.url, sub: id, sid: claims["sid"], auth_time: claims["auth_time"] },
        ...{ iat: made["iat"], exp: Number(made["iat"]) + 900 },
        ...{ color: "red", provider: "acme", "2fa_enrollment": false },
      });
      expect(r1).toBe(`${new Date(Number(made["exp"]) * 1000).toISOString().slice(0, 19)}Z`);
      const stranger = await person();
      for (const sid of [stranger.claims["sid"], "019f0000-0000-7000-8000-000000000001", "", 7, null]) {
        const claimsOfIt = part(Object(result(await mint({ sid })))["r0"], 1);
        expect(Object.keys(claimsOfIt)).toEqual(["aud", "entitlements", "exp", "iat", "iss", "sub"]);
      }
      expect(cluster.output()).toMatch(/"claim":"sid".*claim dropped from an access token/);
      expect(
        failure(await call(cluster, method, { userID: "019f0000-0000-7000-8000-0000000000aa" })),
      ).toEqual([422, "user_not_found"]);
      await call(cluster, "BanUser", { userID: id, reason: "", until: null, bannedBy: "" });
      expect(failure(await mint({}))).toEqual([422, "user_banned"]);
    },
  );
});

describe("tokens for machines", () => {
  test("a service token lives a quarter of an hour at most and says what it is", async () => {
    const opts = {
      ...{ Subject: " svc-reporter ", Audiences: [" billing", "billing", ""], Permissions: ["a:b", " a:b "] },
      Lifetime: 3600 * second,
    };
    const { r0, r1 } = Object(result(await call(cluster, "MintServiceJWT", { opts })));
    const claims = part(r0, 1);
    expect(part(r0, 0)["typ"]).toBe("service+jwt");
    expect(claims).toEqual({
      ...{
        iss: cluster.url,
        sub: "svc-reporter",
        aud: ["billing"],
        permissions: ["a:b"],
        token_use: "service",
      },
      ...{ iat: claims["iat"], nbf: claims["iat"], exp: Number(claims["iat"]) + 900, jti: claims["jti"] },
    });
    expect(String(claims["jti"])).toMatch(/^[\w-]{24}$/);
    expect(Object.keys(r1)).toEqual([
      ...["Issuer", "Subject", "Audiences", "IssuedAt", "NotBefore", "ExpiresAt", "JTI", "TokenUse"],
      ...["Permissions", "Scope"],
    ]);
    expect([r1.TokenUse, r1.Scope, r1.JTI]).toEqual(["service", null, claims["jti"]]);
    const bad = (more: object) => call(cluster, "MintServiceJWT", { opts: { ...opts, ...more } });
    const future = new Date(Date.now() + 60_000).toISOString();
    for (const more of [{ Subject: " " }, { Audiences: [" "] }, { IssuedAt: future }])
      expect(failure(await bad(more))).toEqual([422, "invalid_service_jwt"]);
  });

  test("a service token opens no bearer route", async () => {
    const opts = { Subject: "svc", Audiences: ["authkit"] };
    const { r0 } = Object(result(await call(cluster, "MintServiceJWT", { opts })));
    expect((await api(cluster, "/me", { bearer: String(r0) })).status).toBe(401);
  });

  test("a custom token is anything but one of ours", async () => {
    const mint = (opts: object) =>
      call(cluster, "MintCustomJWT", { opts: { Claims: { a: 1 }, TTL: 60 * second, ...opts } });
    const token = result(
      await mint({
        ...{ Claims: { cap_kind: "upload", sub: "x", aud: "y", nbf: 5 }, TTL: 7200 * second },
        ...{ Type: " capability+jwt ", Subject: " job-77 ", Audiences: ["workers", "workers"] },
      }),
    );
    const claims = part(token, 1);
    expect(part(token, 0)["typ"]).toBe("capability+jwt");
    expect(claims).toEqual({
      ...{ cap_kind: "upload", sub: "job-77", aud: ["workers"], nbf: 5, iss: cluster.url },
      ...{ iat: claims["iat"], exp: Number(claims["iat"]) + 3600 },
    });
    const plain = result(
      await mint({ Claims: { aud: "kept" }, Audiences: [" "], Issuer: "https://other.example" }),
    );
    expect(part(plain, 0)["typ"]).toBe("JWT");
    expect(part(plain, 1)).toMatchObject({ aud: "kept", iss: "https://other.example" });
    const own = ["access+jwt", "Service+JWT", " delegated-access+jwt", "remote-application-access+jwt"];
    for (const Type of [...own, "authkit-document+jws", "AUTHKIT-application-request+jws"])
      expect(failure(await mint({ Type }))).toEqual([422, "custom_jwt_reserved_type"]);
    for (const Claims of [{ iss: 1 }, { iat: 1 }, { exp: 1 }, { token_use: "service" }])
      expect(failure(await mint({ Claims }))).toEqual([422, "custom_jwt_reserved_claim"]);
    // The checks come in this order.
    expect(failure(await mint({ Claims: {}, TTL: 0, Type: "access+jwt" }))[1]).toBe(
      "custom_jwt_empty_claims",
    );
    expect(failure(await mint({ Claims: { iss: 1 }, TTL: -1, Type: "access+jwt" }))[1]).toBe(
      "custom_jwt_ttl_required",
    );
    expect(failure(await mint({ Claims: { iss: 1 }, Type: "access+jwt" }))[1]).toBe(
      "custom_jwt_reserved_type",
    );
  });

  test("delegated and application tokens: lifetimes, and null against empty", async () => {
    const delegated = result(
      await call(cluster, "MintDelegatedAccessToken", {
        p: {
          ...{ DelegatedSubject: " tenant-user-42 ", Audiences: [" a", "a"], Permissions: ["p", " ", "p"] },
          ...{ Attributes: { tier: "gold", roles: "x" }, Roles: ["r1", ""], TTL: 48 * 3600 * second },
        },
      }),
    );
    const claims = part(delegated, 1);
    expect(claims).toEqual({
      ...{ iss: cluster.url, delegated_sub: "tenant-user-42", aud: [" a", "a"], permissions: ["p", "p"] },
      ...{ attributes: { tier: "gold", roles: ["r1"] }, jti: claims["jti"] },
      ...{ iat: claims["iat"], exp: Number(claims["iat"]) + 86_400 },
    });
    const application = async (p: object) =>
      part(result(await call(cluster, "MintRemoteApplicationAccessToken", { p })), 1);
    expect(Object.keys(await application({}))).toEqual(["exp", "iat", "iss"]);
    expect(await application({ Permissions: null })).not.toHaveProperty("permissions");
    expect(await application({ Permissions: [], JTI: " j ", Audiences: ["authkit"] })).toMatchObject({
      permissions: [],
      jti: "j",
      aud: ["authkit"],
    });
  });
});

describe("the development mint", () => {
  const mint = (body: unknown, headers: Record<string, string>): Promise<TestReply> =>
    request(`${cluster.api}/dev/mint`, { body, headers });
  const right = { "x-dev-secret": ` ${secret} ` };

  test("knows its secret by header, else by bearer; errors are flat", async () => {
    const body = { sub: "u", aud: "authkit" };
    expect((await mint(body, { authorization: `Bearer ${secret}` })).status).toBe(200);
    expect((await mint(body, { ...right, authorization: "Bearer wrong" })).status).toBe(200);
    for (const headers of [
      {},
      { "x-dev-secret": "wrong", authorization: `Bearer ${secret}` },
      { authorization: "Bearer wrong" },
    ]) {
      const refused = await mint(body, headers);
      expect([refused.status, refused.body]).toEqual([401, { error: "unauthorized" }]);
    }
    for (const bad of [{ ...body, other: 1 }, "{", { sub: 1 }]) {
      const refused = await mint(bad, right);
      expect([refused.status, refused.body]).toEqual([400, { error: "invalid_request" }]);
    }
    for (const lacking of [{ sub: " ", aud: "x" }, { sub: "x" }, {}]) {
      const refused = await mint(lacking, right);
      expect([refused.status, refused.body]).toEqual([400, { error: "sub and aud are required" }]);
    }
  });

  test("signs what it is asked for, reserved or not", async () => {
    const { id } = await person();
    const reply = await mint(
      {
        sub: id,
        aud: "authkit",
        roles: ["owner"],
        email: "e@example.com",
        entitlements: [],
        expires_in_seconds: 0,
      },
      right,
    );
    const claims = part(reply.body["token"], 1);
    expect(claims).toEqual({
      ...{ iss: cluster.url, sub: id, aud: ["authkit"], roles: ["owner"], email: "e@example.com" },
      ...{ iat: claims["iat"], exp: Number(claims["iat"]) + 3600 },
    });
    expect(Math.abs(Number(claims["iat"]) - now())).toBeLessThan(5);
    expect(reply.body["token_type"]).toBe("Bearer");
    expect(reply.body["expires_at"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const who = await api(cluster, "/dev/whoami", { bearer: String(reply.body["token"]) });
    expect(who.body).toEqual({ permissions: null, is_api_key: false, user_id: id });
    expect(failure(await api(cluster, "/dev/whoami"))).toEqual([401, "missing_token"]);
  });
});
