import { createPublicKey } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, createRemoteClient } from "../../../src/client/index.ts";
import {
  AuthError,
  entitlement,
  freshAuth,
  type Guard,
  hasRole,
  type Lookup,
  live,
  optional,
  optionalUser,
  permission,
  required,
  requiredService,
  userOnly,
} from "../../../src/verify/index.ts";
import { createTestIssuer, type TestIssuer, testSigner } from "../../../src/verify/testing.ts";
import { outcome, userId, verifierFor } from "./support.ts";

let server: TestIssuer;
let application: TestIssuer;
beforeAll(async () => {
  server = await createTestIssuer({ signer: testSigner("k", "EdDSA") });
  application = await createTestIssuer({ signer: testSigner("a", "ES256") });
});
afterAll(async () => {
  await server.close();
  await application.close();
});

/** The management clients of both generations can be handed over as they are. */
const asLookup = (client: Client | Client<"0.97">): Lookup => client;

const authority = { permissions: ["org:*:read", "org:models:invoke"], persona: "org", instanceSlug: "acme" };

function lookupFor(overrides: Partial<Lookup> = {}, state = { enabled: true, asked: 0 }) {
  const lookup: Lookup = {
    async getRemoteApplication({ issuer }) {
      state.asked++;
      if (issuer !== application.issuer) throw new AuthError("remote_application_not_found");
      const { jwksUri } = application;
      return {
        id: "id-1",
        slug: "tenant",
        issuer,
        jwksUri,
        mode: "jwks",
        publicKeys: null,
        enabled: state.enabled,
      };
    },
    resolveRemoteApplicationAuthority: async () => authority,
    async resolveApiKeyDetailed({ keyId, secret }) {
      if (keyId === "down") throw new AuthError("service_unavailable");
      if (keyId === "revoked") throw new AuthError("token_revoked");
      if (keyId === "expired") throw new AuthError("token_expired");
      if (secret !== "secret") throw new AuthError("invalid_token");
      return { keyId, role: "reader", permissions: ["org:*:read"], persona: "org", instanceSlug: "acme" };
    },
    resolveRemoteAppAttributeDef: async ({ key }) => {
      if (key !== "gold") throw new AuthError("attribute_def_not_found");
      return { definition: { limit: 9 } };
    },
    can: async ({ subjectId, perm, instanceSlug }) =>
      subjectId === userId && perm === "org:docs:write" && instanceSlug === "acme",
    userLivenessByIds: async ({ ids }) =>
      Object.fromEntries(ids.filter((id) => id === userId).map((id) => [id, { allowed: state.enabled }])),
    ...overrides,
  };
  return { lookup, state };
}

const bearer = (token: string) => ({
  method: "GET",
  path: "/",
  authorization: `Bearer ${token}`,
  params: { org: "acme" },
});

describe("principals", () => {
  it("come from look-ups that either client can serve as", async () => {
    const client = createRemoteClient(server.issuer, "", { retries: 0 });
    const verifier = verifierFor(server, { lookup: asLookup(client) });
    // The test issuer has no management API: whatever is asked there fails closed.
    expect(await outcome(verifier.verify("st_k1_secret"))).toBe("invalid_token");
    expect(await outcome(verifier.verify(application.delegatedToken("x")))).toBe("invalid_token");
  });

  it("a user, with the claims as fields", async () => {
    const token = server.userToken(userId.toUpperCase(), {
      claims: {
        sid: "s",
        amr: ["pwd", 1],
        auth_time: 5.5,
        entitlements: null,
        mfa_enrolled: true,
        roles: ["Admin"],
      },
    });
    const principal = await verifierFor(server).verify(token);
    expect(principal).toMatchObject({
      kind: "user",
      issuer: server.issuer,
      userId,
      sessionId: "s",
      amr: ["pwd"],
      authTime: 5,
      entitlements: [],
      mfaEnrolled: true,
      enrollment: false,
    });
    expect([hasRole(principal, "admin"), hasRole(principal, "owner")]).toEqual([true, false]);
  });

  it("a delegated subject of the server itself, and of an application within its authority", async () => {
    const { lookup } = lookupFor();
    const verifier = verifierFor(server, { lookup });
    const own = server.delegatedToken("x", [" a:b ", "a:b"], {
      claims: { attributes: { tier: "gold", roles: [userId, 1, "no"] } },
    });
    expect(await verifier.verify(own)).toMatchObject({
      kind: "delegated",
      subject: "x",
      permissions: ["a:b"],
      tier: "gold",
      roles: [userId],
      scope: undefined,
    });
    const within = application.delegatedToken("y", ["org:docs:read"]);
    expect(await verifier.verify(within)).toMatchObject({
      kind: "delegated",
      remoteApplicationId: "id-1",
      remoteApplicationSlug: "tenant",
      permissions: ["org:docs:read"],
      scope: { persona: "org", instance: "acme" },
    });
    expect(await outcome(verifier.verify(application.delegatedToken("y", ["org:docs:write"])))).toBe(
      "permission_not_granted",
    );
  });

  it("an application's service asks for permissions, and is granted none by that", async () => {
    const verifier = verifierFor(server, { lookup: lookupFor().lookup });
    const through = (token: string) =>
      outcome(requiredService(verifier, [permission("org:docs:read")])(bearer(token)));
    expect(await through(server.serviceToken("svc", ["org:docs:read"]))).toBe("service");
    const token = application.serviceToken("svc", ["org:docs:read"]);
    expect(await verifier.verifyServiceJwt(token)).toMatchObject({
      permissions: ["org:docs:read"],
      remoteApplicationId: "id-1",
    });
    expect(await through(token)).toBe("forbidden");
  });

  it("an application's key speaks for no user and no service", async () => {
    const verifier = verifierFor(server, { lookup: lookupFor().lookup });
    expect(await outcome(verifier.verify(application.userToken(userId)))).toBe("bad_issuer");
    expect(await outcome(verifier.verify(application.serviceToken("svc")))).toBe("bad_issuer");
    expect(await outcome(verifierFor(server).verify(application.delegatedToken("x")))).toBe("invalid_token");
  });

  it("an application for itself: all it may do, or the part it asks for", async () => {
    const verifier = verifierFor(server, { lookup: lookupFor().lookup });
    const iat = Math.floor(Date.now() / 1000);
    const token = (more: object) =>
      application.sign(
        { typ: "remote-application-access+jwt" },
        { iss: application.issuer, aud: server.audience, iat, exp: iat + 60, ...more },
      );
    expect(await verifier.verify(token({}))).toMatchObject({
      kind: "remote_application",
      subject: "tenant",
      permissions: authority.permissions,
    });
    expect(await verifier.verify(token({ permissions: [] }))).toMatchObject({ permissions: [] });
    expect(await outcome(verifier.verify(token({ permissions: ["root:x"] })))).toBe("permission_not_granted");
    expect(await outcome(verifier.verify(token({ aud: "elsewhere" })))).toBe("bad_audience");
  });

  it("an application that is switched off is refused after the look-up's time, at once when told; look-ups are shared", async () => {
    let now = Date.now();
    const { lookup, state } = lookupFor();
    const verifier = verifierFor(server, { lookup, now: () => now });
    const token = application.delegatedToken("x", []);
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token)));
    expect(state.asked).toBe(1);
    state.enabled = false;
    expect(await outcome(verifier.verify(token))).toBe("delegated");
    now += 5_001;
    expect(await outcome(verifier.verify(token))).toBe("invalid_token");
    state.enabled = true;
    verifier.forgetApplication();
    expect(await outcome(verifier.verify(token))).toBe("delegated");
  });

  it("tokens of issuers nobody knows cost a bounded number of look-ups, and known applications go on", async () => {
    let asked = 0;
    let answer: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { lookup } = lookupFor();
    const getRemoteApplication: Lookup["getRemoteApplication"] = async (args) => {
      asked++;
      if (args.issuer !== application.issuer) await held;
      const found = await lookup.getRemoteApplication?.(args);
      if (found === undefined) throw new AuthError("remote_application_not_found");
      return found;
    };
    let now = Date.now();
    const verifier = verifierFor(server, { lookup: { ...lookup, getRemoteApplication }, now: () => now });
    const known = application.delegatedToken("x", []);
    expect(await outcome(verifier.verify(known))).toBe("delegated");
    now += 6_000;
    const flood = Array.from({ length: 200 }, (_, i) =>
      outcome(verifier.verify(server.sign({ typ: "x" }, { iss: `https://${i}.example` }))),
    );
    expect(await outcome(verifier.verify(known))).toBe("delegated");
    answer?.();
    expect(new Set(await Promise.all(flood))).toEqual(new Set(["invalid_token"]));
    expect(asked).toBe(34);
    expect(await outcome(verifier.verify(server.sign({}, { iss: `https://${"x".repeat(2050)}` })))).toBe(
      "invalid_token",
    );
    expect(asked).toBe(34);
  });

  it("static keys of an application, and an authority that cannot be read", async () => {
    const signer = testSigner("static", "EdDSA");
    const publicKeyPem = createPublicKey(signer.privateKey)
      .export({ format: "pem", type: "spki" })
      .toString();
    const issuer = "https://static.example";
    const getRemoteApplication: Lookup["getRemoteApplication"] = async () => ({
      ...{ id: "id-2", slug: "static", issuer, jwksUri: "", mode: "static", enabled: true },
      publicKeys: [{ kid: "static", publicKeyPem }],
    });
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: server.audience, iat, exp: iat + 60, delegated_sub: "z" };
    const token = server.sign({ typ: "delegated-access+jwt" }, claims, signer);
    const { lookup } = lookupFor({ getRemoteApplication });
    expect(await outcome(verifierFor(server, { lookup }).verify(token))).toBe("delegated");
    const unreadable = lookupFor({
      getRemoteApplication,
      resolveRemoteApplicationAuthority: () => Promise.reject(new AuthError("service_unavailable")),
    });
    expect(await outcome(verifierFor(server, unreadable).verify(token))).toBe("invalid_token");
  });

  it("API keys are looked up, and never taken for JWTs", async () => {
    const verifier = verifierFor(server, { lookup: lookupFor().lookup, apiKeyPrefix: "acme" });
    expect(await verifier.verify("acme_st_k1_secret")).toEqual({
      kind: "api_key",
      issuer: undefined,
      subject: undefined,
      keyId: "k1",
      role: "reader",
      permissions: ["org:*:read"],
      scope: { persona: "org", instance: "acme" },
    });
    for (const [key, code] of [
      ["acme_st_k1_wrong", "invalid_token"],
      ["acme_st_down_secret", "invalid_token"],
      ["acme_st_revoked_x", "token_revoked"],
      ["acme_st_expired_x", "token_expired"],
      ["acme_st_", "invalid_token"],
      ["acme_st__secret", "invalid_token"],
      ["acme_st_k1_", "invalid_token"],
      ["st_k1_secret", "invalid_token"],
    ] as const)
      expect([key, await outcome(verifier.verify(key))]).toEqual([key, code]);
    expect(await outcome(verifierFor(server).verify("st_k1_secret"))).toBe("invalid_token");
  });

  it("service tokens", async () => {
    const verifier = verifierFor(server);
    const token = server.serviceToken("reporter", ["a:b", "a:b"]);
    expect(await verifier.verifyServiceJwt(token)).toMatchObject({
      kind: "service",
      subject: "reporter",
      permissions: ["a:b"],
      audiences: ["test-app"],
    });
    const scoped = server.serviceToken("reporter", [], { claims: { scope: "x y" } });
    expect((await verifier.verifyServiceJwt(scoped)).permissions).toEqual(["x", "y"]);
    const refused = (claims: Record<string, unknown>, more: object = {}) =>
      outcome(verifier.verifyServiceJwt(server.serviceToken("s", [], { claims, ...more })));
    expect(await refused({ jti: " " })).toBe("invalid_service_jwt");
    expect(await refused({ token_use: "x" })).toBe("invalid_service_jwt");
    expect(await refused({}, { typ: "JWT" })).toBe("invalid_service_jwt");
    expect(await refused({ iat: undefined })).toBe("missing_iat");
    expect(await refused({ nbf: undefined })).toBe("missing_nbf");
    expect(await refused({}, { expiresIn: 901 })).toBe("service_jwt_lifetime_exceeded");
    expect(await refused({ permissions: "x" })).toBe("malformed_permissions");
    expect(await outcome(verifier.verifyServiceJwt(server.userToken(userId)))).toBe("invalid_service_jwt");
    expect(await outcome(verifier.verifyServiceJwt(server.delegatedToken("x")))).toBe("invalid_service_jwt");
    expect(await outcome(verifier.verify(token))).toBe("access_token_wrong_typ");
    expect(await outcome(verifier.verifyDelegatedAccess(token))).toBe("access_token_wrong_typ");
    const untyped = server.serviceToken("old", [], { typ: "" });
    expect(await outcome(verifier.verifyServiceJwt(untyped))).toBe("invalid_service_jwt");
    const lenient = verifierFor(server, { acceptUntypedServiceJwt: true });
    expect((await lenient.verifyServiceJwt(untyped)).subject).toBe("old");
    const custom = server.serviceToken("old", [], { typ: "JWT" });
    expect(await outcome(lenient.verifyServiceJwt(custom))).toBe("invalid_service_jwt");
    const replayChecker = () => Promise.reject(new AuthError("invalid_token"));
    expect(await outcome(verifier.verifyServiceJwt(token, { replayChecker }))).toBe("invalid_token");
  });

  it("delegated access: policies, and references replaced by their definitions", async () => {
    const { lookup } = lookupFor();
    const token = application.delegatedToken("x", ["org:a:read"], {
      claims: { aud: server.audience, attributes: { tier: "gold", plan: "none", inline: { a: 1 } } },
    });
    const hydrating = verifierFor(server, { lookup, attributeHydration: true });
    const principal = await hydrating.verifyDelegatedAccess(token);
    expect(principal.attributes).toEqual({ tier: { limit: 9 }, plan: "none", inline: { a: 1 } });
    expect(principal.tier).toBe("gold");
    const strict = verifierFor(server, {
      lookup,
      permissionValidator: () => {
        throw new AuthError("forbidden");
      },
    });
    expect(await outcome(strict.verifyDelegatedAccess(token))).toBe("forbidden");
    expect(await outcome(strict.verifyDelegatedAccess(server.userToken(userId)))).toBe(
      "not_delegated_access_token",
    );
  });

  it("remembered tokens expire, and memory is bounded", async () => {
    let now = Date.now();
    const verifier = verifierFor(server, { now: () => now, cacheBytes: 20_000 });
    const token = server.userToken(userId, { expiresIn: 100 });
    expect(await verifier.verify(token)).toBe(await verifier.verify(token));
    for (let i = 0; i < 50; i++) await verifier.verify(server.userToken(userId, { claims: { i } }));
    const first = await verifier.verify(token);
    now += 100_000;
    expect(await verifier.verify(token)).toBe(first);
    now += 62_000;
    expect(await outcome(verifier.verify(token))).toBe("token_expired");
  });
});

describe("guards", () => {
  const { lookup, state } = lookupFor();
  const claims = { amr: ["pwd"], entitlements: ["Premium"] };
  const now = () => Math.floor(Date.now() / 1000);
  const passes = async (token: string, ...guards: Guard[]) =>
    outcome(required(verifierFor(server, { lookup, apiKeyPrefix: "" }), guards)(bearer(token)));
  const user = (more: object = {}) => server.userToken(userId, { claims: { ...claims, ...more } });

  it("required, optional, people only", async () => {
    const verifier = verifierFor(server, { lookup });
    const nobody = { ...bearer(""), authorization: undefined };
    const basic = { ...nobody, authorization: "Basic eA==" };
    expect(await outcome(required(verifier, [])(nobody))).toBe("missing_token");
    expect(await outcome(required(verifier, [])(basic))).toBe("missing_token");
    expect(await optional(verifier, [])(nobody)).toBeUndefined();
    expect(await optional(verifier, [])(basic)).toBeUndefined();
    expect(await outcome(optional(verifier, [])(bearer("x")))).toBe("invalid_token");
    expect(await optionalUser(verifier)(bearer("x"))).toBeUndefined();
    expect(await optionalUser(verifier)(bearer("st_k1_secret"))).toBeUndefined();
    expect(await outcome(optionalUser(verifier)(bearer(user())))).toBe("user");
    expect(await passes("st_k1_secret", userOnly)).toBe("invalid_principal");
    expect(await outcome(requiredService(verifier, [])(bearer(server.serviceToken("s"))))).toBe("service");
  });

  it("enrolment tokens pass nowhere, and enrolment can be demanded", async () => {
    expect(await passes(user({ "2fa_enrollment": true }))).toBe("forbidden");
    const strict = required(verifierFor(server, { requireMfaEnrollment: true }), []);
    expect(await outcome(strict(bearer(user())))).toBe("2fa_enrollment_required");
    expect(await outcome(strict(bearer(user({ mfa_enrolled: true }))))).toBe("user");
  });

  it("permissions: brought along within their group, or asked for", async () => {
    const acme = (request: { params: Readonly<Record<string, string | undefined>> }) => ({
      persona: "org",
      instance: request.params["org"] ?? "",
    });
    const other = { persona: "org", instance: "other" };
    expect(await passes("st_k1_secret", permission("org:docs:read", acme))).toBe("api_key");
    expect(await passes("st_k1_secret", permission("org:docs:read", other))).toBe("forbidden");
    expect(await passes("st_k1_secret", permission("org:docs:read"))).toBe("forbidden");
    expect(await passes("st_k1_secret", permission("org:docs:write", acme))).toBe("forbidden");
    expect(await passes(user(), permission("org:docs:write", acme))).toBe("user");
    expect(await passes(user(), permission("org:docs:write", other))).toBe("forbidden");
    expect(
      await passes(user({ permissions: ["org:docs:delete"] }), permission("org:docs:delete", acme)),
    ).toBe("forbidden");
    const down = verifierFor(server, { lookup: { can: () => Promise.reject(new Error("down")) } });
    expect(await outcome(required(down, [permission("a:b")])(bearer(user())))).toBe("forbidden");
    expect(await outcome(required(verifierFor(server), [permission("a:b")])(bearer(user())))).toBe(
      "forbidden",
    );
  });

  it("entitlements", async () => {
    expect(await passes(user(), entitlement("premium"))).toBe("user");
    expect(await passes(user(), entitlement("gold", "PREMIUM"))).toBe("user");
    expect(await passes(user(), entitlement("gold"))).toBe("forbidden");
    expect(await passes(user(), entitlement())).toBe("forbidden");
    expect(await passes("st_k1_secret", entitlement("premium"))).toBe("forbidden");
  });

  it("fresh authentication", async () => {
    const at = (age: number, more: object = {}) => user({ auth_time: now() - age, ...more });
    expect(await passes(at(10), freshAuth())).toBe("user");
    expect(await passes(at(-30), freshAuth())).toBe("user");
    expect(await passes(at(-90), freshAuth())).toBe("step_up_required");
    expect(await passes(at(902), freshAuth())).toBe("step_up_required");
    expect(await passes(user(), freshAuth())).toBe("step_up_required");
    expect(await passes(at(10, { mfa_enrolled: true }), freshAuth())).toBe("step_up_required");
    expect(await passes(at(10, { mfa_enrolled: true, amr: ["pwd", "otp"] }), freshAuth())).toBe("user");
    expect(await passes(at(3600, { mfa_enrolled: true, amr: ["otp"] }), freshAuth())).toBe(
      "step_up_required",
    );
    expect(await passes(at(10), freshAuth({ amr: ["swk"] }))).toBe("step_up_required");
    const loa = (level: number) => `urn:authkit:loa:${level}`;
    expect(await passes(at(10, { acr: loa(2) }), freshAuth({ acr: loa(1) }))).toBe("user");
    expect(await passes(at(10, { acr: loa(1) }), freshAuth({ acr: loa(2) }))).toBe("step_up_required");
    expect(await passes("st_k1_secret", freshAuth())).toBe("step_up_required");
  });

  it("liveness", async () => {
    expect(await passes(user(), live)).toBe("user");
    expect(await passes("st_k1_secret", live)).toBe("api_key");
    state.enabled = false;
    expect(await passes(user(), live)).toBe("account_disabled");
    expect(await passes(server.userToken("__proto__"), live)).toBe("account_disabled");
    const current = { allowed: true, username: "mona", email: "", emailVerified: true };
    const now = lookupFor({ userLivenessByIds: async () => ({ [userId]: current }) });
    const old = server.userToken(userId, { claims: { username: "old", email: "old@example.com" } });
    const found = await required(verifierFor(server, { lookup: now.lookup }), [live])(bearer(old));
    expect(found).toMatchObject({ username: "mona", email: undefined, emailVerified: true });
    const away = lookupFor({ userLivenessByIds: () => Promise.reject(new Error("down")) });
    const guarded = required(verifierFor(server, { lookup: away.lookup }), [live]);
    expect(await outcome(guarded(bearer(user())))).toBe("liveness_unavailable");
    expect(() => required(verifierFor(server), [live])).toThrow(TypeError);
  });
});
