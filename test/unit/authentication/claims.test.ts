import { describe, expect, it } from "vitest";
import {
  authenticatorFor,
  forge,
  issuer,
  now,
  outcome,
  resolverOf,
  sessionId,
  testApplication,
  userId,
} from "./fixtures.ts";

const claims = { iss: issuer, sub: userId, aud: ["authkit"], iat: now, exp: now + 900, sid: sessionId };

function setUp() {
  const server = authenticatorFor();
  const key = server.keys.active?.privateKey;
  if (key === undefined) throw new Error("no key");
  const attempt = (changes: object, header: object = {}) =>
    outcome(() =>
      server.authenticate(
        forge({ alg: "ES256", kid: "k1", typ: "access+jwt", ...header }, { ...claims, ...changes }, key),
      ),
    );
  return { ...server, key, attempt };
}

describe("registered claims", () => {
  it.each([
    [{ exp: now - 5 }, "user"],
    [{ exp: now - 6 }, "token_expired"],
    [{ exp: now - 4.5 }, "user"],
    [{ exp: undefined }, "missing_exp"],
    [{ exp: String(now + 900) }, "missing_exp"],
    [{ exp: null }, "missing_exp"],
    [{ nbf: now + 5 }, "user"],
    [{ nbf: now + 6 }, "token_not_yet_valid"],
    [{ nbf: "soon" }, "invalid_token"],
    [{ iat: now + 5 }, "user"],
    [{ iat: now + 6 }, "token_not_yet_valid"],
    [{ iat: "now" }, "invalid_token"],
    [{ iat: undefined }, "user"],
    [{ aud: "authkit" }, "user"],
    [{ aud: ["x", "authkit"] }, "user"],
    [{ aud: ["Authkit"] }, "bad_audience"],
    [{ aud: [] }, "bad_audience"],
    [{ aud: undefined }, "bad_audience"],
    [{ aud: "x", exp: undefined }, "bad_audience"],
    [{ iss: `${issuer}/` }, "invalid_token"],
    [{ iss: "https://unknown.example" }, "invalid_token"],
    [{ iss: undefined }, "invalid_token"],
    [{ iss: "x".repeat(3_000) }, "invalid_token"],
    [{ sub: "not-a-uuid" }, "user_disabled"],
  ])("%j → %s", async (changes, expected) => {
    expect(await setUp().attempt(changes)).toBe(expected);
  });
});

describe("token class of our own issuer", () => {
  it.each([
    [{}, { typ: "Access+JWT " }, "user"],
    [{ delegated_sub: "d" }, {}, "conflicting_subject"],
    [{ delegated_sub: "d" }, { typ: "service+jwt" }, "conflicting_subject"],
    [{}, { typ: "remote-application-access+jwt" }, "remote_application_access_has_subject"],
    [
      { sub: undefined, delegated_sub: "d" },
      { typ: "remote-application-access+jwt" },
      "remote_application_access_has_subject",
    ],
    [{ sub: undefined }, { typ: "remote-application-access+jwt" }, "bad_issuer"],
    [{}, { typ: "delegated-access+jwt" }, "access_token_has_sub"],
    [{ sub: undefined, delegated_sub: "d" }, {}, "delegated_access_wrong_typ"],
    [{ sub: undefined, delegated_sub: "d" }, { typ: undefined }, "delegated_access_wrong_typ"],
    [{}, { typ: "service+jwt" }, "access_token_wrong_typ"],
    [{}, { typ: "capability+jwt" }, "access_token_wrong_typ"],
    [{}, { typ: undefined }, "access_token_wrong_typ"],
    [{ sub: undefined }, { typ: undefined }, "missing_token_typ"],
    [{ sub: undefined }, { typ: " " }, "missing_token_typ"],
    [{ sub: undefined }, { typ: "service+jwt" }, "unsupported_token_typ"],
    [{ sub: undefined }, { typ: "authkit-document+jws" }, "unsupported_token_typ"],
    [{ sub: undefined }, {}, "missing_sub"],
    [{ sub: "" }, {}, "missing_sub"],
    [{ sub: 7 }, {}, "missing_sub"],
    [{ sub: undefined }, { typ: "delegated-access+jwt" }, "missing_delegated_sub"],
    [
      { sub: undefined, delegated_sub: "d", user_tier: "gold" },
      { typ: "delegated-access+jwt" },
      "delegated_access_has_user_tier",
    ],
    [
      { sub: undefined, delegated_sub: "d", roles: ["r"] },
      { typ: "delegated-access+jwt" },
      "delegated_access_has_roles",
    ],
    [{ sub: undefined, delegated_sub: "d", roles: [1] }, { typ: "delegated-access+jwt" }, "invalid_token"],
  ])("claims %j header %j → %s", async (changes, header, expected) => {
    expect(await setUp().attempt(changes, header)).toBe(expected);
  });
});

describe("issuer classes", () => {
  const application = testApplication();
  const types = [
    "access+jwt",
    "service+jwt",
    "delegated-access+jwt",
    "remote-application-access+jwt",
    "capability+jwt",
    "authkit-document+jws",
  ];
  const subjects = {
    user: { sub: userId },
    delegated: { delegated_sub: "d" },
    none: {},
    both: { sub: userId, delegated_sub: "d" },
  };
  const expected: Record<string, Record<keyof typeof subjects, string>> = {
    "access+jwt": { user: "bad_issuer", delegated: "bad_issuer", none: "bad_issuer", both: "bad_issuer" },
    "service+jwt": { user: "bad_issuer", delegated: "bad_issuer", none: "bad_issuer", both: "bad_issuer" },
    "delegated-access+jwt": {
      user: "access_token_has_sub",
      delegated: "delegated",
      none: "missing_delegated_sub",
      both: "conflicting_subject",
    },
    "remote-application-access+jwt": {
      user: "remote_application_access_has_subject",
      delegated: "remote_application_access_has_subject",
      none: "remote_application",
      both: "conflicting_subject",
    },
    "capability+jwt": {
      user: "access_token_wrong_typ",
      delegated: "delegated_access_wrong_typ",
      none: "unsupported_token_typ",
      both: "conflicting_subject",
    },
    "authkit-document+jws": {
      user: "access_token_wrong_typ",
      delegated: "delegated_access_wrong_typ",
      none: "unsupported_token_typ",
      both: "conflicting_subject",
    },
  };

  it.each(types)("an application signing %s is only ever itself or a delegate", async (typ) => {
    const server = authenticatorFor({}, { remoteApplications: resolverOf(application) });
    for (const [name, subject] of Object.entries(subjects)) {
      const { sub: _, ...rest } = claims;
      const token = forge(
        { alg: "ES256", kid: "app-1", typ },
        { ...rest, iss: application.issuer, ...subject },
        application.key,
      );
      expect([name, await outcome(() => server.authenticate(token))]).toEqual([
        name,
        Reflect.get(expected[typ] ?? {}, name),
      ]);
    }
  });

  it("our own key does not speak for an application, nor an application's for us", async () => {
    const server = authenticatorFor({}, { remoteApplications: resolverOf(application) });
    const own = server.keys.active?.privateKey;
    if (own === undefined) throw new Error("no key");
    const forApplication = { ...claims, sub: undefined, iss: application.issuer };
    const header = { alg: "ES256", kid: "k1", typ: "remote-application-access+jwt" };
    expect(await outcome(() => server.authenticate(forge(header, forApplication, own)))).toBe(
      "invalid_token",
    );
    expect(
      await outcome(() => server.authenticate(forge({ ...header, kid: "app-1" }, forApplication, own))),
    ).toBe("invalid_token");
    const asUs = forge({ alg: "ES256", kid: "app-1", typ: "access+jwt" }, claims, application.key);
    expect(await outcome(() => server.authenticate(asUs))).toBe("invalid_token");
    const asUsWithOurId = forge({ alg: "ES256", kid: "k1", typ: "access+jwt" }, claims, application.key);
    expect(await outcome(() => server.authenticate(asUsWithOurId))).toBe("invalid_token");
  });
});

describe("document references", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const application = testApplication();
  const attempt = (contract: "0.73" | "0.97", body: unknown, typ = "delegated-access+jwt") => {
    const server = authenticatorFor({ contract }, { remoteApplications: resolverOf(application) });
    return outcome(() =>
      server.authenticate(forge({ alg: "ES256", kid: "app-1", typ }, body, application.key)),
    );
  };
  const delegated = { iss: application.issuer, aud: "authkit", exp: now + 60, delegated_sub: "d" };

  it.each([
    [{ documents: { "a/v1": digest } }, "delegated"],
    [{ documents: { a: digest } }, "invalid_document_reference"],
    [{ documents: { "a/v1": 7 } }, "invalid_document_reference"],
    [{ documents: [] }, "invalid_document_reference"],
    [{ attributes: { documents: 1 } }, "reserved_document_attribute"],
  ])("%j → %s in the later generation only", async (extra, later) => {
    expect(await attempt("0.97", { ...delegated, ...extra })).toBe(later);
    expect(await attempt("0.73", { ...delegated, ...extra })).toBe("delegated");
  });

  it("belong to delegated tokens, once", async () => {
    const { delegated_sub: _, ...alone } = delegated;
    expect(
      await attempt("0.97", { ...alone, documents: { "a/v1": digest } }, "remote-application-access+jwt"),
    ).toBe("documents_wrong_token_type");
    const text = `${JSON.stringify({ ...delegated, documents: {} }).slice(0, -1)},"documents":{}}`;
    expect(await attempt("0.97", text)).toBe("duplicate_document_reference");
    expect(await attempt("0.73", text)).toBe("invalid_token");
  });
});
