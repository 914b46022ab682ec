import { describe, expect, it } from "vitest";
import { AuthError } from "../../../src/contract/errors/index.ts";
import { bearerToken, createAuthenticator } from "../../../src/core/authentication/index.ts";
import { covers } from "../../../src/core/authentication/permission-cover.ts";
import type { Access } from "../../../src/core/revocations/types.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { keySet } from "../tokens/fixtures.ts";
import {
  authenticatorFor,
  forge,
  now,
  outcome,
  resolverOf,
  sessionId,
  testApplication,
  userId,
} from "./fixtures.ts";

const session = { id: sessionId, authenticatedAt: new Date(now * 1000), methods: ["pwd"] };

describe("Authorization header", () => {
  it.each([
    [undefined, undefined],
    ["", undefined],
    ["Bearer", undefined],
    ["Bearer ", undefined],
    ["Bearer  \t", undefined],
    ["Basic abc", undefined],
    ["Bearerabc", undefined],
    ["Bearer\tabc", undefined],
    ["bEARER abc", "abc"],
    ["Bearer   abc ", "abc"],
  ])("%j → %j", (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });

  it("without a token is missing_token", () => {
    expect(() => authenticatorFor().authenticator.authenticate("Basic x")).toThrow("missing_token");
  });
});

describe("user tokens", () => {
  it("become principals synchronously, also the first time", () => {
    const server = authenticatorFor();
    const { token } = server.tokens.accessToken({ userId, session, mfaEnrolled: true });
    const first = server.authenticate(token);
    expect(first).toMatchObject({
      kind: "user",
      userId,
      sessionId,
      authTime: now,
      amr: ["pwd"],
      acr: "urn:authkit:loa:1",
      mfaEnrolled: true,
      enrollment: false,
      entitlements: null,
    });
    expect(server.authenticate(token)).toBe(first);
  });

  it("of an enrolment say so", () => {
    const server = authenticatorFor();
    const { token } = server.tokens.enrollmentToken(userId);
    expect(server.authenticate(token)).toMatchObject({
      enrollment: true,
      sessionId: undefined,
      authTime: undefined,
    });
  });

  it("die at exp although verified before", () => {
    const server = authenticatorFor();
    const { token } = server.tokens.accessToken({ userId, session, mfaEnrolled: false });
    server.authenticate(token);
    server.clock.advance(905);
    expect(server.authenticate(token)).toMatchObject({ kind: "user" });
    server.clock.advance(1);
    expect(() => server.authenticate(token)).toThrow("token_expired");
    expect(() => server.authenticate(token)).toThrow("token_expired");
  });

  it("die with their key although verified before", async () => {
    const server = authenticatorFor();
    const { token } = server.tokens.accessToken({ userId, session, mfaEnrolled: false });
    server.authenticate(token);
    server.keyring.swap(keySet("k2"));
    expect(await outcome(() => server.authenticate(token))).toBe("invalid_token");
  });

  it("of a key this process has not heard of yet make it look once, not each time", async () => {
    const server = authenticatorFor();
    const next = keySet("k2");
    let reloads = 0;
    const ring = {
      ...server.keyring,
      async reload() {
        reloads++;
        server.keyring.swap(next);
      },
    };
    const there = authenticatorFor({}, {});
    there.keyring.swap(next);
    const { token } = there.tokens.accessToken({ userId, session, mfaEnrolled: false });
    const authenticator = createAuthenticator({
      config: server.config,
      keyring: ring,
      clock: server.clock,
      log: silentLog,
      revocations: { access: () => "admitted", confirm: async () => "admitted" },
    });
    expect(await outcome(() => authenticator.authenticate(`Bearer ${token}`))).toBe("user");
    const unknown = forge(
      { alg: "ES256", kid: "k3", typ: "access+jwt" },
      { iss: server.config.issuer },
      testApplication().key,
    );
    for (let n = 0; n < 50; n++)
      expect(await outcome(() => authenticator.authenticate(`Bearer ${unknown}`))).toBe("invalid_token");
    expect(reloads).toBe(1);
    server.clock.advance(6);
    await outcome(() => authenticator.authenticate(`Bearer ${unknown}`));
    expect(reloads).toBe(2);
  });

  it.each<[Access | Promise<Access>, string]>([
    ["user_disabled", "user_disabled"],
    ["token_revoked", "token_revoked"],
    [Promise.resolve<Access>("user_disabled"), "user_disabled"],
    [Promise.resolve<Access>("token_revoked"), "token_revoked"],
    [Promise.resolve<Access>("admitted"), "user"],
  ])("access %j → %s, each time", async (access, expected) => {
    const server = authenticatorFor(
      {},
      { revocations: { access: () => access, confirm: async () => "admitted" } },
    );
    const { token } = server.tokens.accessToken({ userId, session, mfaEnrolled: false });
    for (let n = 0; n < 3; n++) expect(await outcome(() => server.authenticate(token))).toBe(expected);
  });

  it("of accounts that never existed are refused where the development mint is on", async () => {
    const revocations = { access: () => "admitted" as const, confirm: async () => "user_disabled" as const };
    const server = authenticatorFor({ development: { mintSecret: "secret" } }, { revocations });
    const { token } = server.tokens.accessToken({ userId, mfaEnrolled: false });
    expect(await outcome(() => server.authenticate(token))).toBe("user_disabled");
  });
});

describe("API keys", () => {
  const principal = {
    kind: "api_key",
    keyId: "k",
    role: "r",
    permissions: [],
    persona: "org",
    instanceSlug: "a",
  } as const;
  const asked: string[][] = [];
  const apiKeys = {
    async resolve(keyId: string, secret: string) {
      asked.push([keyId, secret]);
      if (secret === "revoked") throw new AuthError("token_revoked");
      return principal;
    },
  };

  it.each([
    ["", "st_abc_def_ghi", "api_key"],
    ["", "st_abc_revoked", "token_revoked"],
    ["", "st_abc", "invalid_token"],
    ["", "st__x", "invalid_token"],
    ["", "st_abc_", "invalid_token"],
    ["acme", "acme_st_abc_def", "api_key"],
    ["acme", "st_abc_def", "invalid_token"],
    ["acme", "Acme_st_abc_def", "invalid_token"],
  ])("prefix %j: %s → %s", async (prefix, token, expected) => {
    const server = authenticatorFor({ apiKeys: { prefix } }, { apiKeys });
    expect(await outcome(() => server.authenticate(token))).toBe(expected);
  });

  it("are split at the first underscore after the marker", () => {
    expect(asked[0]).toEqual(["abc", "def_ghi"]);
  });

  it("are refused where nobody resolves them", async () => {
    expect(await outcome(() => authenticatorFor().authenticate("st_abc_def"))).toBe("invalid_token");
  });
});

describe("remote applications", () => {
  const application = testApplication();
  const claims = { iss: application.issuer, aud: ["authkit"], iat: now, exp: now + 900 };
  const header = { alg: "ES256", kid: "app-1", typ: "remote-application-access+jwt" };
  const attempt = async (body: object, head: object = {}, app = application) => {
    const server = authenticatorFor({}, { remoteApplications: resolverOf(app) });
    return server.authenticate(forge({ ...header, ...head }, { ...claims, ...body }, app.key));
  };

  it("have their stored authority, or the part of it they ask for", async () => {
    expect(await attempt({})).toMatchObject({
      kind: "remote_application",
      slug: "tenant",
      permissions: ["org:*:read", "org:models:invoke"],
      persona: "org",
      instanceSlug: "acme",
    });
    expect(await attempt({ permissions: [" org:members:read ", "org:members:read", 7] })).toMatchObject({
      permissions: ["org:members:read"],
    });
    expect(await attempt({ permissions: [] })).toMatchObject({ permissions: [] });
    expect(await attempt({ permissions: "org:models:invoke" })).toMatchObject({ permissions: [] });
    await expect(attempt({ permissions: ["org:members:write"] })).rejects.toThrow("permission_not_granted");
    await expect(attempt({ permissions: ["org:*"] })).rejects.toThrow("permission_not_granted");
  });

  it("delegate within their authority, which grants a delegate nothing by itself", async () => {
    const typ = { typ: "delegated-access+jwt" };
    expect(await attempt({ delegated_sub: "d", attributes: { tier: "gold" } }, typ)).toMatchObject({
      kind: "delegated",
      subject: "d",
      issuer: application.issuer,
      applicationSlug: "tenant",
      permissions: [],
      attributes: { tier: "gold" },
    });
    expect(await attempt({ delegated_sub: "d", permissions: ["org:models:invoke"] }, typ)).toMatchObject({
      permissions: ["org:models:invoke"],
    });
    await expect(attempt({ delegated_sub: "d", permissions: ["root:users:read"] }, typ)).rejects.toThrow(
      "permission_not_granted",
    );
  });

  it("must name one of our audiences", async () => {
    await expect(attempt({ aud: ["other"] })).rejects.toThrow("bad_audience");
  });

  it("are refused when unknown, disabled, or their authority cannot be read", async () => {
    const server = authenticatorFor(
      {},
      {
        remoteApplications: {
          byIssuer: async () => undefined,
          authority: async () => {
            throw new Error("never");
          },
        },
      },
    );
    expect(await outcome(() => server.authenticate(forge(header, claims, application.key)))).toBe(
      "invalid_token",
    );
    const failing = {
      ...resolverOf(application),
      authority: async () => {
        throw new Error("down");
      },
    };
    const other = authenticatorFor({}, { remoteApplications: failing });
    expect(await outcome(() => other.authenticate(forge(header, claims, application.key)))).toBe(
      "invalid_token",
    );
  });

  it("are looked at anew for each request, so that switching one off acts at once", async () => {
    let enabled = true;
    const resolver = resolverOf(application);
    const server = authenticatorFor(
      {},
      {
        remoteApplications: {
          ...resolver,
          byIssuer: async (iss) => (enabled ? resolver.byIssuer(iss) : undefined),
        },
      },
    );
    const token = forge(header, claims, application.key);
    expect(await outcome(() => server.authenticate(token))).toBe("remote_application");
    enabled = false;
    expect(await outcome(() => server.authenticate(token))).toBe("invalid_token");
  });

  it("have their keys fetched again once when a signature does not fit", async () => {
    const app = testApplication();
    const server = authenticatorFor({}, { remoteApplications: resolverOf(app) });
    expect(await outcome(() => server.authenticate(forge(header, claims, testApplication().key)))).toBe(
      "invalid_token",
    );
    expect(app.refetches).toBe(1);
    expect(await outcome(() => server.authenticate(forge({ ...header, kid: "new" }, claims, app.key)))).toBe(
      "invalid_token",
    );
    expect(app.refetches).toBe(2);
    expect(await outcome(() => server.authenticate(forge(header, claims, app.key)))).toBe(
      "remote_application",
    );
    expect(app.refetches).toBe(2);
  });
});

describe("permission cover", () => {
  it.each([
    ["org:*", "org:a", true],
    ["org:*", "org:a:b:c", true],
    ["org:*:read", "org:members:read", true],
    ["org:*:read", "org:members:keys:read", false],
    ["org:members:read", " org:members:read ", true],
    ["org:members:read", "org:members:write", false],
    ["org:members", "org:members:read", false],
    ["*", "org:a", false],
    ["*:a", "org:a", false],
    ["", "org:a", false],
    [":a", ":a", false],
    ["org:a:*", "org:a:*", true],
    ["org:a:b", "org:a:*", false],
    ["Org:a", "org:a", false],
  ])("%j covers %j: %s", (grant, permission, expected) => {
    expect(covers(grant, permission)).toBe(expected);
  });
});
