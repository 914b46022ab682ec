import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { zeroTime } from "../../../src/contract/time.ts";
import { createTokenMint } from "../../../src/core/tokens/index.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";
import { keySet, segmentText, testClock, testRing } from "./fixtures.ts";

const now = 1_782_475_200;
const minute = 60e9;

function mint(overrides: ConfigOverrides = {}, keys = keySet("prod-2026-06")) {
  const config = testConfig({}, { issuer: "https://auth.example.com", ...overrides });
  return createTokenMint({ config, clock: testClock(now), random: systemRandom }, testRing(keys));
}

const service = {
  subject: " svc-reporter ",
  audiences: ["billing", " billing", ""],
  permissions: ["billing:invoice:read"],
  lifetime: 0,
  notBefore: zeroTime(),
  issuedAt: zeroTime(),
  jti: "Q2hhbmdlTWVQbGVhc2UxMjM0",
};

const delegated = {
  issuer: "",
  audiences: ["inference-api"],
  delegatedSubject: " tenant-user-42 ",
  permissions: ["org:models:invoke"],
  documents: {},
  attributes: { tier: "gold" },
  roles: ["8f14e45f-ceea-467f-9575-1f0a9d9c2f11"],
  ttl: 0,
  jti: "d-001",
  notBefore: zeroTime(),
};

const custom = {
  claims: { cap_kind: "upload" },
  ttl: 10 * minute,
  type: "capability+jwt",
  subject: "job-77",
  audiences: ["workers"],
  issuer: "",
};

function claims(token: string): Record<string, unknown> {
  return JSON.parse(segmentText(token, 1));
}

describe("service token", () => {
  it("is written as the contract shows it", () => {
    const { token, claims: issued } = mint().serviceJwt(service);
    expect(segmentText(token, 0)).toBe('{"alg":"ES256","kid":"prod-2026-06","typ":"service+jwt"}');
    expect(segmentText(token, 1)).toBe(
      '{"aud":["billing"],"exp":1782476100,"iat":1782475200,"iss":"https://auth.example.com",' +
        '"jti":"Q2hhbmdlTWVQbGVhc2UxMjM0","nbf":1782475200,"permissions":["billing:invoice:read"],' +
        '"sub":"svc-reporter","token_use":"service"}',
    );
    expect(issued).toEqual({
      issuer: "https://auth.example.com",
      subject: "svc-reporter",
      audiences: ["billing"],
      issuedAt: new Date(now * 1000),
      notBefore: new Date(now * 1000),
      expiresAt: new Date((now + 900) * 1000),
      jti: "Q2hhbmdlTWVQbGVhc2UxMjM0",
      tokenUse: "service",
      permissions: ["billing:invoice:read"],
      scope: null,
    });
  });

  it("clamps the lifetime to 15 minutes and makes an id of 24 characters", () => {
    const { token } = mint().serviceJwt({ ...service, lifetime: 60 * minute, jti: " ", permissions: [] });
    const written = claims(token);
    expect(written["exp"]).toBe(now + 900);
    expect(written["jti"]).toMatch(/^[A-Za-z0-9_-]{24}$/);
    expect(written["permissions"]).toEqual([]);
  });

  it("allows an issue time in the past, not in the future beyond the skew", () => {
    const at = (seconds: number) =>
      mint().serviceJwt({ ...service, issuedAt: new Date((now + seconds) * 1000) });
    expect(claims(at(-3600).token)["exp"]).toBe(now - 3600 + 900);
    expect(claims(at(5).token)["iat"]).toBe(now + 5);
    expect(() => at(6)).toThrow("invalid_service_jwt");
  });

  it("needs subject and audience", () => {
    expect(() => mint().serviceJwt({ ...service, subject: " " })).toThrow("invalid_service_jwt");
    expect(() => mint().serviceJwt({ ...service, audiences: [" "] })).toThrow("invalid_service_jwt");
  });
});

describe("delegated token", () => {
  it("is written as the contract shows it", () => {
    const keys = keySet("tenant-key-3");
    const token = mint({}, keys).delegatedAccessToken({
      ...delegated,
      issuer: "https://auth.tenant.example",
    });
    expect(segmentText(token, 0)).toBe('{"alg":"ES256","kid":"tenant-key-3","typ":"delegated-access+jwt"}');
    expect(segmentText(token, 1)).toBe(
      '{"attributes":{"roles":["8f14e45f-ceea-467f-9575-1f0a9d9c2f11"],"tier":"gold"},"aud":["inference-api"],' +
        '"delegated_sub":"tenant-user-42","exp":1782476100,"iat":1782475200,"iss":"https://auth.tenant.example",' +
        '"jti":"d-001","permissions":["org:models:invoke"]}',
    );
  });

  it("leaves out what is empty and never has a sub", () => {
    const token = mint().delegatedAccessToken({
      ...delegated,
      audiences: [],
      permissions: [" "],
      attributes: {},
      roles: [""],
      jti: "",
      notBefore: new Date((now + 60) * 1000),
    });
    expect(Object.keys(claims(token))).toEqual(["delegated_sub", "exp", "iat", "iss", "jti", "nbf"]);
    expect(claims(token)["jti"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it("clamps at 24 hours unless lifted", () => {
    const long = { ...delegated, ttl: 72 * 60 * minute };
    expect(claims(mint().delegatedAccessToken(long))["exp"]).toBe(now + 86_400);
    expect(claims(mint({ tokens: { allowLongMachineTokens: true } }).delegatedAccessToken(long))["exp"]).toBe(
      now + 3 * 86_400,
    );
  });

  it("checks document references", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const token = mint().delegatedAccessToken({
      ...delegated,
      documents: { " example.catalog/v1 ": digest },
    });
    expect(claims(token)["documents"]).toEqual({ "example.catalog/v1": digest });
    const refused = (documents: Record<string, string>) => () =>
      mint().delegatedAccessToken({ ...delegated, documents });
    expect(refused({ "example.catalog/v01": digest })).toThrow("invalid_document_reference");
    expect(refused({ "example.catalog/v1": "sha256:abc" })).toThrow("invalid_document_reference");
    expect(refused({ "a/v1": digest, " a/v1": digest })).toThrow("duplicate_document_reference");
    expect(refused(Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`a/v${n}`, digest])))).toThrow(
      "too_many_document_references",
    );
    expect(
      refused(Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`${"a".repeat(240)}/v${n}`, digest]))),
    ).toThrow("document_references_too_large");
    expect(() => mint().delegatedAccessToken({ ...delegated, attributes: { documents: {} } })).toThrow(
      "reserved_document_attribute",
    );
    expect(() => mint().delegatedAccessToken({ ...delegated, delegatedSubject: " " })).toThrow(
      "invalid_delegated_access",
    );
  });
});

describe("remote-application token", () => {
  const params = {
    issuer: "https://app.example.net",
    audiences: ["authkit"],
    ttl: 0,
    jti: "",
    notBefore: zeroTime(),
    permissions: ["org:members:read"],
  };

  it("is written as the contract shows it", () => {
    const token = mint({}, keySet("app-1", "EdDSA")).remoteApplicationAccessToken(params);
    expect(segmentText(token, 0)).toBe('{"alg":"EdDSA","kid":"app-1","typ":"remote-application-access+jwt"}');
    expect(segmentText(token, 1)).toBe(
      '{"aud":["authkit"],"exp":1782476100,"iat":1782475200,"iss":"https://app.example.net","permissions":["org:members:read"]}',
    );
  });

  it("tells no permissions from none asked for", () => {
    expect(
      claims(mint().remoteApplicationAccessToken({ ...params, permissions: [] }))["permissions"],
    ).toEqual([]);
    expect(claims(mint().remoteApplicationAccessToken({ ...params, permissions: null }))).not.toHaveProperty(
      "permissions",
    );
  });
});

describe("custom token", () => {
  it("is written as the contract shows it", () => {
    const token = mint().customJwt(custom);
    expect(segmentText(token, 0)).toBe('{"alg":"ES256","kid":"prod-2026-06","typ":"capability+jwt"}');
    expect(segmentText(token, 1)).toBe(
      '{"aud":["workers"],"cap_kind":"upload","exp":1782475800,"iat":1782475200,"iss":"https://auth.example.com","sub":"job-77"}',
    );
  });

  it("keeps the caller's sub and aud unless overridden, and clamps at an hour", () => {
    const token = mint().customJwt({
      claims: { sub: "a", aud: "b", nbf: 5, jti: "j", roles: ["x"], token_use: "download" },
      ttl: 48 * 60 * minute,
      type: " ",
      subject: "",
      audiences: [" "],
      issuer: " https://other.example ",
    });
    expect(segmentText(token, 0)).toBe('{"alg":"ES256","kid":"prod-2026-06","typ":"JWT"}');
    expect(claims(token)).toEqual({
      sub: "a",
      aud: "b",
      nbf: 5,
      jti: "j",
      roles: ["x"],
      token_use: "download",
      iss: "https://other.example",
      iat: now,
      exp: now + 3600,
    });
  });

  it.each([
    "access+jwt",
    " Access+JWT ",
    "service+jwt",
    "delegated-access+jwt",
    "REMOTE-application-access+jwt",
    "authkit-document+jws",
    "authkit-application-request+jws",
  ])("refuses the type %j", (type) => {
    expect(() => mint().customJwt({ ...custom, type })).toThrow("custom_jwt_reserved_type");
  });

  it("refuses in the contract's order", () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`c${n}`, n]));
    const none = { ...keySet("k"), active: undefined };
    expect(() => mint({}, none).customJwt({ ...custom, claims: {} })).toThrow("missing_signer");
    expect(() => mint().customJwt({ ...custom, claims: {}, ttl: 0 })).toThrow("custom_jwt_empty_claims");
    expect(() => mint().customJwt({ ...custom, claims: many, ttl: 0 })).toThrow("custom_jwt_too_many_claims");
    expect(() => mint().customJwt({ ...custom, ttl: 0, type: "service+jwt" })).toThrow(
      "custom_jwt_ttl_required",
    );
    expect(() => mint().customJwt({ ...custom, ttl: -5, type: "service+jwt" })).toThrow(
      "custom_jwt_ttl_required",
    );
    for (const name of ["iss", "iat", "exp"]) {
      expect(() => mint().customJwt({ ...custom, claims: { [name]: 1 } })).toThrow(
        "custom_jwt_reserved_claim",
      );
    }
    expect(() => mint().customJwt({ ...custom, claims: { token_use: "service" } })).toThrow(
      "custom_jwt_reserved_claim",
    );
  });
});

describe("signed document", () => {
  const envelope = {
    iss: "",
    aud: ["reader.example"],
    type: "example.catalog/v1",
    payload: { plans: ["free", "pro"] },
  };

  it("has the digest of the contract's example", () => {
    const signed = mint().signDocument(envelope);
    expect(Buffer.from(signed.signedPayload ?? []).toString()).toBe(
      '{"iss":"https://auth.example.com","aud":["reader.example"],"type":"example.catalog/v1","payload":{"plans":["free","pro"]}}',
    );
    expect(signed.reference).toEqual({
      type: "example.catalog/v1",
      digest: "sha256:bb92938eb7b005c6189188ebad72db2120b554931cb1de87cf00bbcda6ad48cd",
    });
    expect(segmentText(signed.jws, 0)).toBe(
      '{"alg":"ES256","kid":"prod-2026-06","typ":"authkit-document+jws"}',
    );
    const payload = Buffer.from(signed.jws.split(".")[1] ?? "", "base64url");
    expect(`sha256:${createHash("sha256").update(payload).digest("hex")}`).toBe(signed.reference.digest);
  });

  it("refuses what is no document of ours", () => {
    const refused = (change: Partial<typeof envelope>) => () =>
      mint().signDocument({ ...envelope, ...change });
    expect(refused({ iss: "https://else.example" })).toThrow("document_issuer_mismatch");
    for (const type of ["", "catalog", "catalog/v01", "cat alog/v1", "catalog/v", `${"a".repeat(256)}/v1`]) {
      expect(refused({ type })).toThrow("invalid_document_envelope");
    }
    expect(refused({ aud: [" "] })).toThrow("invalid_document_envelope");
    expect(refused({ aud: Array.from({ length: 33 }, (_, n) => `a${n}`) })).toThrow(
      "invalid_document_envelope",
    );
    expect(refused({ payload: { plans: ["x".repeat(1 << 20)] } })).toThrow("document_payload_too_large");
  });
});
