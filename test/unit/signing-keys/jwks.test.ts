import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { createLocalJWKSet, exportJWK, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { generatePrivateKey } from "../../../src/core/signing-keys/generate.ts";
import { jwksReply } from "../../../src/core/signing-keys/jwks-reply.ts";
import { buildKeySet, noKeys } from "../../../src/core/signing-keys/key-set.ts";
import type { SigningAlgorithm } from "../../../src/core/signing-keys/types.ts";
import { createTokens } from "../../../src/core/tokens/index.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { testConfig } from "../../support/config.ts";
import { testClock, testRing } from "../tokens/fixtures.ts";

const algorithms: readonly SigningAlgorithm[] = ["RS256", "ES256", "ES384", "ES512", "EdDSA"];
const when = new Date(0);

function document(jwks: Buffer): JSONWebKeySet {
  return JSON.parse(jwks.toString("utf8"));
}

describe("JWKS document", () => {
  it("without keys is the contract's empty set with its known tag", () => {
    const { jwks, etag } = buildKeySet(noKeys, "none", when);
    expect(jwks.toString()).toBe('{"keys":[]}');
    expect(etag).toBe('"9638d11914735d0072002dd4d67c734a94ee7a0cd845e6dcbc984ee7581860a7"');
  });

  it.each(algorithms)("%s has exactly the public members, in order", async (algorithm) => {
    const privateKey = generatePrivateKey(algorithm);
    const { jwks } = buildKeySet({ active: { kid: "k1", privateKey }, others: new Map() }, "file", when);
    const [key] = document(jwks).keys;
    const byJose = await exportJWK(createPublicKey(privateKey));
    expect(key).toEqual({ ...byJose, use: "sig", kid: "k1", alg: algorithm });
    const head = ["kty", "use", "kid", "alg"];
    const rest =
      algorithm === "RS256" ? ["n", "e"] : algorithm === "EdDSA" ? ["crv", "x"] : ["crv", "x", "y"];
    expect(Object.keys(key ?? {})).toEqual([...head, ...rest]);
    if (algorithm === "RS256") expect(key?.e).toBe("AQAB");
  });

  it("costs a check of its headers once: the lists are the same every time, and cannot change", () => {
    const keys = buildKeySet(
      { active: { kid: "k1", privateKey: generatePrivateKey("EdDSA") }, others: new Map() },
      "file",
      when,
    );
    for (const [method, tag] of [
      ["GET", undefined],
      ["GET", keys.etag],
      ["POST", undefined],
    ] as const) {
      const { headers } = jwksReply(method, tag, keys);
      expect(jwksReply(method, tag, keys).headers).toBe(headers);
      expect([headers, ...headers].every(Object.isFrozen)).toBe(true);
    }
  });

  it("keeps leading zeros of EC coordinates", () => {
    // The y coordinate of this P-256 point starts with a zero byte for about one key in 256.
    for (let tries = 0; tries < 2_000; tries++) {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const der = publicKey.export({ format: "der", type: "spki" });
      if (der.at(-32) !== 0) continue;
      const { jwks } = buildKeySet({ active: { kid: "k", privateKey }, others: new Map() }, "file", when);
      const y = document(jwks).keys[0]?.y ?? "";
      expect(Buffer.from(y, "base64url")).toEqual(der.subarray(-32));
      return;
    }
    throw new Error("no such key found");
  });

  it("is sorted by key id in byte order, without white space, and holds nothing private", () => {
    const others = new Map(
      ["b", "é", "A", "a"].map((kid) => [kid, createPublicKey(generatePrivateKey("EdDSA"))]),
    );
    const set = buildKeySet(
      { active: { kid: "<k>", privateKey: generatePrivateKey("ES256") }, others },
      "file",
      when,
    );
    expect(document(set.jwks).keys.map((key) => key.kid)).toEqual(["<k>", "A", "a", "b", "é"]);
    expect(set.jwks.toString()).not.toMatch(/\s|"d":|PRIVATE/);
    expect(set.jwks.toString()).toContain('"kid":"\\u003ck\\u003e"');
  });

  it.each(algorithms)("lets an independent library verify our %s tokens", async (algorithm) => {
    const config = testConfig({}, { issuer: "https://auth.example.com" });
    const others = new Map([["retired", createPublicKey(generatePrivateKey(algorithm))]]);
    const set = buildKeySet(
      { active: { kid: "now", privateKey: generatePrivateKey(algorithm) }, others },
      "file",
      when,
    );
    const { token } = createTokens(config, testRing(set), testClock(1_782_475_200), silentLog).accessToken({
      userId: "019f0000-0000-7000-8000-0000000000aa",
      mfaEnrolled: false,
    });
    const { payload } = await jwtVerify(token, createLocalJWKSet(document(set.jwks)), {
      audience: "authkit",
      currentDate: new Date(1_782_475_201_000),
    });
    expect(payload.iss).toBe("https://auth.example.com");
  });

  it("refuses another key under the active id", () => {
    const privateKey = generatePrivateKey("ES256");
    const same = new Map([["k", createPublicKey(privateKey)]]);
    const other = new Map([["k", createPublicKey(generatePrivateKey("ES256"))]]);
    expect(buildKeySet({ active: { kid: "k", privateKey }, others: same }, "file", when).byKid.size).toBe(1);
    expect(() => buildKeySet({ active: { kid: "k", privateKey }, others: other }, "file", when)).toThrow(
      /key id k/,
    );
  });
});

describe("JWKS reply", () => {
  const privateKey = createPrivateKey(generatePrivateKey("ES256").export({ format: "pem", type: "pkcs8" }));
  const keys = buildKeySet({ active: { kid: "k", privateKey }, others: new Map() }, "file", when);

  it("answers GET with document, tag and cache rules", () => {
    const reply = jwksReply("GET", undefined, keys);
    expect(reply.status).toBe(200);
    expect(reply.body).toBe(keys.jwks);
    expect(Object.fromEntries(reply.headers)).toEqual({
      "Content-Type": "application/json",
      ETag: keys.etag,
      "Cache-Control": "public, max-age=300, must-revalidate",
      "X-Content-Type-Options": "nosniff",
      "Access-Control-Allow-Origin": "*",
    });
    expect(jwksReply("HEAD", "", keys)).toBe(reply);
  });

  it.each([
    (etag: string) => etag,
    (etag: string) => `W/${etag}`,
    (etag: string) => `"x", ${etag} ,"y"`,
    () => "*",
  ])("answers 304 with tag and cache rules", (header) => {
    const reply = jwksReply("GET", header(keys.etag), keys);
    expect(reply.status).toBe(304);
    expect(reply.body).toBeUndefined();
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      ETag: keys.etag,
      "Cache-Control": "public, max-age=300, must-revalidate",
    });
  });

  it("answers another tag in full and other methods with 405", () => {
    expect(jwksReply("GET", '"x"', keys).status).toBe(200);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "get"]) {
      const reply = jwksReply(method, undefined, keys);
      expect(reply.status).toBe(405);
      expect(Object.fromEntries(reply.headers)["Allow"]).toBe("GET, HEAD");
    }
  });
});
