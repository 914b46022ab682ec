import { createHmac, createPublicKey, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Verifier } from "../../../src/verify/index.ts";
import { createTestIssuer, type TestIssuer, testSigner } from "../../../src/verify/testing.ts";
import { encode, outcome, userId, verifierFor } from "./support.ts";

const signer = testSigner("k1", "ES256");
let server: TestIssuer;
let verifier: Verifier;
let claims: Record<string, unknown>;
const header = { alg: "ES256", kid: "k1", typ: "access+jwt" };

beforeAll(async () => {
  server = await createTestIssuer({ signer });
  verifier = verifierFor(server);
  const iat = Math.floor(Date.now() / 1000);
  claims = { iss: server.issuer, aud: server.audience, sub: userId, iat, exp: iat + 900 };
});
afterAll(() => server.close());

const refused = (token: string) => outcome(verifier.verify(token));

/** Signs header and claims given as JSON texts, or as values. */
function forge(head: unknown, payload: unknown, by = signer): string {
  const input = `${encode(head)}.${encode(payload)}`;
  const key = { key: by.privateKey, dsaEncoding: "ieee-p1363" } as const;
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
}

describe("forged tokens", () => {
  it("a well-made one passes, so that the refusals below mean something", async () => {
    expect(await refused(forge(header, claims))).toBe("user");
  });

  it.each(["none", "None", "nOnE", "", "HS256", "PS256", "es256", "ES256K", "RS256", "ES384", "EdDSA"])(
    "alg %j",
    async (alg) => {
      expect(await refused(forge({ ...header, alg }, claims))).toBe("invalid_token");
      expect(await refused(`${encode({ ...header, alg })}.${encode(claims)}.`)).toBe("invalid_token");
      expect(await refused(`${encode({ ...header, alg })}.${encode(claims)}.AA`)).toBe("invalid_token");
    },
  );

  it("HMAC keyed with the public key", async () => {
    const publicKey = createPublicKey(signer.privateKey);
    const secrets = [
      publicKey.export({ format: "pem", type: "spki" }),
      publicKey.export({ format: "der", type: "spki" }),
      JSON.stringify(publicKey.export({ format: "jwk" })),
    ];
    for (const bits of [256, 384, 512]) {
      for (const secret of secrets) {
        const input = `${encode({ ...header, alg: `HS${bits}` })}.${encode(claims)}`;
        const mac = createHmac(`sha${bits}`, secret).update(input).digest("base64url");
        expect(await refused(`${input}.${mac}`)).toBe("invalid_token");
      }
    }
  });

  it("keys brought along in the header", async () => {
    const mine = testSigner("k1", "ES256");
    const jwk = { ...createPublicKey(mine.privateKey).export({ format: "jwk" }), kid: "k1", alg: "ES256" };
    const before = server.requests;
    for (const injected of [
      { jwk },
      { jku: `${server.issuer}/evil` },
      { x5u: server.issuer },
      { x5c: ["AA=="] },
    ]) {
      expect(await refused(forge({ ...header, ...injected }, claims, mine))).toBe("invalid_token");
      expect(await refused(forge({ ...header, kid: undefined, ...injected }, claims, mine))).toBe(
        "invalid_token",
      );
    }
    expect(server.requests - before).toBeLessThanOrEqual(1);
  });

  it("key ids that are none", async () => {
    for (const kid of ["", "k2", "../k1", "k1\u0000", "__proto__", "constructor", 1, null, ["k1"], { a: 1 }])
      expect([kid, await refused(forge({ ...header, kid }, claims))]).toEqual([kid, "invalid_token"]);
  });

  it("ECDSA signatures of zero, of the order, of another length, in DER", async () => {
    const input = `${encode(header)}.${encode(claims)}`;
    const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
    const one = Buffer.concat([Buffer.alloc(31), Buffer.of(1)]);
    const zero = Buffer.alloc(32);
    const der = sign("sha256", Buffer.from(input), signer.privateKey);
    const forged = [
      [zero, zero],
      [zero, one],
      [one, zero],
      [order, order],
      [order, one],
    ].map((pair) => Buffer.concat(pair));
    for (const signature of [...forged, der, ...[1, 32, 63, 65, 132].map((n) => Buffer.alloc(n, 1))])
      expect(await refused(`${input}.${signature.toString("base64url")}`)).toBe("invalid_token");
  });

  it("members there twice, however they are spelt", async () => {
    const text = JSON.stringify(claims);
    for (const head of [
      '{"alg":"ES256","kid":"k1","typ":"access+jwt","alg":"none"}',
      '{"alg":"none","kid":"k1","typ":"access+jwt","\\u0061lg":"ES256"}',
      '{"alg":"ES256","kid":"k1","typ":"JWT","typ":"access+jwt"}',
    ]) {
      expect(await refused(forge(head, claims))).toBe("invalid_token");
    }
    expect(await refused(forge(header, `${text.slice(0, -1)},"sub":"other"}`))).toBe("invalid_token");
    expect(await refused(forge(header, `{"\\u0073ub":"x",${text.slice(1)}`))).toBe("invalid_token");
    const nested = { ...claims, x: [{ a: 1 }, { a: 2 }], y: { sub: "x" } };
    expect(await refused(forge(header, nested))).toBe("user");
  });

  it("critical extensions and unencoded payloads", async () => {
    for (const extension of [{ crit: ["b64"], b64: false }, { crit: [] }, { crit: ["exp"] }, { b64: false }])
      expect(await refused(forge({ ...header, ...extension }, claims))).toBe("invalid_token");
  });

  it("texts that are no token, too long ones, and second spellings of a good one", async () => {
    const good = forge(header, claims);
    const [head = "", payload = "", signature = ""] = good.split(".");
    const last = signature.at(-1) ?? "";
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const twin = alphabet[alphabet.indexOf(last) ^ 1] ?? "";
    for (const token of [
      "x",
      "..",
      "a.b",
      "a.b.c",
      `${good}.`,
      `.${good}`,
      `${good}=`,
      good.replace(".", ". "),
      good.slice(0, -1) + twin,
      `${encode("[]")}.${payload}.${signature}`,
      `${encode("null")}.${payload}.${signature}`,
      `${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.${payload}.${signature}`,
      `${head}.${encode('"text"')}.${signature}`,
      `${"A".repeat(33_000)}.${payload}.${signature}`,
      forge(header, { ...claims, padding: "x".repeat(40_000) }),
    ]) {
      expect([token.slice(0, 20), await refused(token)]).toEqual([token.slice(0, 20), "invalid_token"]);
    }
    expect(await refused("")).toBe("missing_token");
    expect(await refused(`  ${good} `)).toBe("user");
  });
});

describe("token classes are not mixed up", () => {
  const cases: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>, string])[] = [
    ["service", { typ: "service+jwt" }, {}, "access_token_wrong_typ"],
    ["custom", { typ: "JWT" }, {}, "access_token_wrong_typ"],
    ["no typ", { typ: undefined }, {}, "access_token_wrong_typ"],
    ["no typ, no subject", { typ: undefined }, { sub: undefined }, "missing_token_typ"],
    ["unknown typ", { typ: "x+jwt" }, { sub: undefined }, "unsupported_token_typ"],
    ["letter case and blanks of typ", { typ: " Access+JWT " }, {}, "user"],
    ["no subject", {}, { sub: undefined }, "missing_sub"],
    ["two subjects", {}, { delegated_sub: "x" }, "conflicting_subject"],
    ["delegated with sub", { typ: "delegated-access+jwt" }, {}, "access_token_has_sub"],
    [
      "delegated subject in an access token",
      {},
      { sub: undefined, delegated_sub: "x" },
      "delegated_access_wrong_typ",
    ],
    [
      "delegated without subject",
      { typ: "delegated-access+jwt" },
      { sub: undefined },
      "missing_delegated_sub",
    ],
    [
      "delegated with tier",
      { typ: "delegated-access+jwt" },
      { sub: undefined, delegated_sub: "x", user_tier: "gold" },
      "delegated_access_has_user_tier",
    ],
    [
      "delegated with roles",
      { typ: "delegated-access+jwt" },
      { sub: undefined, delegated_sub: "x", roles: ["a"] },
      "delegated_access_has_roles",
    ],
    [
      "application with subject",
      { typ: "remote-application-access+jwt" },
      {},
      "remote_application_access_has_subject",
    ],
    [
      "application token of a first party",
      { typ: "remote-application-access+jwt" },
      { sub: undefined },
      "bad_issuer",
    ],
    ["documents of a user", {}, { documents: {} }, "documents_wrong_token_type"],
    ["another audience", {}, { aud: "other" }, "bad_audience"],
    ["audience among several", {}, { aud: ["other", "test-app"] }, "user"],
    ["no audience", {}, { aud: undefined }, "bad_audience"],
    ["another issuer", {}, { iss: "https://other.example" }, "invalid_token"],
    ["no expiry", {}, { exp: undefined }, "missing_exp"],
    ["expired", {}, { exp: 1 }, "token_expired"],
    ["not yet valid", {}, { nbf: 9e9 }, "token_not_yet_valid"],
    ["issued in the future", {}, { iat: 9e9 }, "token_not_yet_valid"],
    ["unreadable nbf", {}, { nbf: "soon" }, "invalid_token"],
  ];
  it.each(cases)("%s", async (_, head, more, expected) => {
    expect(await refused(forge({ ...header, ...head }, { ...claims, ...more }))).toBe(expected);
  });
});
