import { jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import type { SigningAlgorithm } from "../../../src/core/signing-keys/types.ts";
import { createTokens } from "../../../src/core/tokens/index.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { testConfig } from "../../support/config.ts";
import { keySet, recordingLog, segmentText, testClock, testRing } from "./fixtures.ts";

const issuedAt = 1_782_475_200;
const config = testConfig({}, { issuer: "https://auth.example.com", audiences: ["authkit", "billing-app"] });
const userId = "019f0000-0000-7000-8000-0000000000aa";
const session = {
  id: "019f0000-0000-7000-8000-000000000001",
  authenticatedAt: new Date(issuedAt * 1000 + 900),
  methods: ["pwd"],
};

describe("user access token", () => {
  it("carries exactly the claims of a password login, members in ascending order", () => {
    const tokens = createTokens(config, testRing(keySet("prod-2026-06")), testClock(issuedAt), silentLog);
    const { token, expiresAt } = tokens.accessToken({
      userId: userId.toUpperCase(),
      session,
      mfaEnrolled: false,
    });
    expect(segmentText(token, 0)).toBe('{"alg":"ES256","kid":"prod-2026-06","typ":"access+jwt"}');
    expect(segmentText(token, 1)).toBe(
      '{"acr":"urn:authkit:loa:1","amr":["pwd"],"aud":["authkit","billing-app"],"auth_time":1782475200,' +
        '"entitlements":null,"exp":1782476100,"iat":1782475200,"iss":"https://auth.example.com",' +
        '"sid":"019f0000-0000-7000-8000-000000000001","sub":"019f0000-0000-7000-8000-0000000000aa"}',
    );
    expect(expiresAt).toEqual(new Date(1_782_476_100_000));
  });

  it("carries level 2, enrolment and entitlements of a passkey login", () => {
    const entitled = testConfig(
      {},
      { issuer: "https://auth.example.com", development: { staticEntitlements: ["premium", "storage-1tb"] } },
    );
    const tokens = createTokens(entitled, testRing(keySet("k2")), testClock(issuedAt), silentLog);
    const { token } = tokens.accessToken({
      userId,
      session: { ...session, methods: ["swk", "MFA ", "mfa"] },
      mfaEnrolled: true,
    });
    expect(segmentText(token, 1)).toBe(
      '{"acr":"urn:authkit:loa:2","amr":["swk","mfa"],"aud":["authkit"],"auth_time":1782475200,' +
        '"entitlements":["premium","storage-1tb"],"exp":1782476100,"iat":1782475200,"iss":"https://auth.example.com",' +
        '"mfa_enrolled":true,"sid":"019f0000-0000-7000-8000-000000000001","sub":"019f0000-0000-7000-8000-0000000000aa"}',
    );
  });

  it("omits mfa_enrolled while second factors are switched off", () => {
    const off = testConfig({}, { mfa: { mode: "disabled" } });
    const tokens = createTokens(off, testRing(keySet("k")), testClock(issuedAt), silentLog);
    expect(segmentText(tokens.accessToken({ userId, session, mfaEnrolled: true }).token, 1)).not.toContain(
      "mfa_enrolled",
    );
  });

  it("enrolment tokens live ten minutes and carry no session", () => {
    const tokens = createTokens(config, testRing(keySet("k")), testClock(issuedAt), silentLog);
    const { token, expiresAt } = tokens.enrollmentToken(userId);
    expect(segmentText(token, 1)).toBe(
      '{"2fa_enrollment":true,"aud":["authkit","billing-app"],"entitlements":null,"exp":1782475800,"iat":1782475200,' +
        '"iss":"https://auth.example.com","sub":"019f0000-0000-7000-8000-0000000000aa"}',
    );
    expect(expiresAt.getTime()).toBe((issuedAt + 600) * 1000);
  });

  it("escapes what HTML would read", () => {
    const tokens = createTokens(config, testRing(keySet("k")), testClock(issuedAt), silentLog);
    const { token } = tokens.accessToken({ userId, mfaEnrolled: false, extra: { note: "<a>&\u2028\u2029" } });
    expect(segmentText(token, 1)).toContain('"note":"\\u003ca\\u003e\\u0026\\u2028\\u2029"');
  });

  it("drops every reserved claim of the caller with a warning and keeps its own claims", () => {
    const reserved = [
      ...[
        "roles",
        "permissions",
        "global_roles",
        "org_roles",
        "groups",
        "email",
        "email_verified",
        "username",
      ],
      ...[
        "discord_username",
        "user_tier",
        "plan",
        "delegated_sub",
        "attributes",
        "amr",
        "acr",
        "auth_time",
        "jti",
      ],
      ...["mfa_enrolled", "documents", "token_use", "scope", "nbf", "cnf", "act", "azp", "client_id"],
    ];
    const log = recordingLog();
    const tokens = createTokens(config, testRing(keySet("k")), testClock(issuedAt), log);
    const own = { iss: "x", sub: "x", aud: "x", iat: 1, exp: 9e9, entitlements: ["all"] };
    const extra = {
      ...Object.fromEntries(reserved.map((name) => [name, true])),
      ...own,
      sid: session.id,
      provider: "google",
      color: "red",
    };
    const { token } = tokens.accessToken({ userId, mfaEnrolled: false, extra });
    const claims: unknown = JSON.parse(segmentText(token, 1));
    expect(claims).toEqual({
      iss: "https://auth.example.com",
      sub: userId,
      aud: ["authkit", "billing-app"],
      iat: issuedAt,
      exp: issuedAt + 900,
      entitlements: null,
      provider: "google",
      color: "red",
    });
    expect(log.lines.map(({ fields }) => Reflect.get(fields, "claim")).sort()).toEqual(
      [...reserved, "sid"].sort(),
    );
  });

  it.each<SigningAlgorithm>(["RS256", "ES256", "ES384", "ES512", "EdDSA"])(
    "%s verifies with an independent library",
    async (algorithm) => {
      const keys = keySet("k", algorithm);
      const tokens = createTokens(config, testRing(keys), testClock(issuedAt), silentLog);
      const { token } = tokens.accessToken({ userId, session, mfaEnrolled: false });
      const key = keys.active?.publicKey;
      if (key === undefined) throw new Error("no key");
      const { protectedHeader, payload } = await jwtVerify(token, key, {
        issuer: "https://auth.example.com",
        audience: "billing-app",
        typ: "access+jwt",
        currentDate: new Date(issuedAt * 1000),
      });
      expect(protectedHeader).toEqual({ alg: algorithm, kid: "k", typ: "access+jwt" });
      expect(payload.sub).toBe(userId);
    },
  );

  it("signs with the key that is active at the moment", () => {
    const ring = testRing(keySet("old"));
    const tokens = createTokens(config, ring, testClock(issuedAt), silentLog);
    tokens.accessToken({ userId, mfaEnrolled: false });
    ring.swap(keySet("new", "EdDSA"));
    expect(segmentText(tokens.accessToken({ userId, mfaEnrolled: false }).token, 0)).toBe(
      '{"alg":"EdDSA","kid":"new","typ":"access+jwt"}',
    );
  });

  it("refuses without a signer", () => {
    const none = { ...keySet("k"), active: undefined };
    const tokens = createTokens(config, testRing(none), testClock(issuedAt), silentLog);
    expect(() => tokens.accessToken({ userId, mfaEnrolled: false })).toThrow("missing_signer");
    expect(() => tokens.enrollmentToken(userId)).toThrow("missing_signer");
    expect(() => tokens.sign("x+jwt", {})).toThrow("missing_signer");
  });
});
