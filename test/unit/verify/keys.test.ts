import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { parseJwks } from "../../../src/verify/jwks.ts";
import { createTestIssuer, type TestIssuer, testSigner } from "../../../src/verify/testing.ts";
import { outcome, userId, verifierFor } from "./support.ts";

let server: TestIssuer;
afterEach(() => server?.close());

describe("fetching keys", () => {
  it("many first uses share one request, and no further one is made while keys are fresh", async () => {
    server = await createTestIssuer({ signer: testSigner("k", "EdDSA") });
    const verifier = verifierFor(server);
    const tokens = Array.from({ length: 50 }, (_, i) => server.userToken(userId, { claims: { n: i } }));
    expect(new Set(await Promise.all(tokens.map((token) => outcome(verifier.verify(token)))))).toEqual(
      new Set(["user"]),
    );
    expect(server.requests).toBe(1);
  });

  it("a hundred tokens with unknown key ids cost one request in 30 s", async () => {
    server = await createTestIssuer({ signer: testSigner("k", "EdDSA") });
    let now = Date.now();
    const verifier = verifierFor(server, { now: () => now });
    await verifier.verify(server.userToken(userId));
    const unknown = () =>
      Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          outcome(verifier.verify(server.sign({ typ: "access+jwt", kid: `x${i}` }, { iss: server.issuer }))),
        ),
      );
    expect(new Set(await unknown())).toEqual(new Set(["invalid_token"]));
    expect(server.requests).toBe(2);
    now += 29_000;
    await unknown();
    expect(server.requests).toBe(2);
    now += 2_000;
    await unknown();
    expect(server.requests).toBe(3);
  });

  it("a rotated key is found at once, and so is new key material under the same id", async () => {
    server = await createTestIssuer({ signer: testSigner("k", "EdDSA") });
    let now = Date.now();
    const verifier = verifierFor(server, { now: () => now });
    await verifier.verify(server.userToken(userId));
    server.rotate(testSigner("k2", "EdDSA"));
    expect(await outcome(verifier.verify(server.userToken(userId)))).toBe("user");
    server.rotate(testSigner("k2", "EdDSA"));
    now += 31_000;
    expect(await outcome(verifier.verify(server.userToken(userId)))).toBe("user");
    expect(server.requests).toBe(3);
  });

  it("a withdrawn key takes its remembered tokens with it", async () => {
    server = await createTestIssuer({ signer: testSigner("k", "EdDSA") });
    let now = Date.now();
    const verifier = verifierFor(server, { now: () => now });
    const old = server.userToken(userId);
    expect(await outcome(verifier.verify(old))).toBe("user");
    server.rotate(testSigner("k2", "EdDSA"));
    server.dropFormerKeys();
    expect(await outcome(verifier.verify(old))).toBe("user");
    // A token of the new key makes the verifier look, and the old one is gone.
    expect(await outcome(verifier.verify(server.userToken(userId)))).toBe("user");
    expect(await outcome(verifier.verify(old))).toBe("invalid_token");
    now += 31_000;
    expect(await outcome(verifier.verify(old))).toBe("invalid_token");
  });

  it("stale keys serve while the issuer is away, but not for ever; failures are not repeated at every request", async () => {
    server = await createTestIssuer({ signer: testSigner("k", "EdDSA") });
    let now = Date.now();
    const problems: string[] = [];
    const verifier = verifierFor(server, { now: () => now, report: (problem) => problems.push(problem) });
    const token = () => server.userToken(userId, { expiresIn: 9e6, claims: { n: Math.random() } });
    await verifier.verify(token());
    server.failWith(503);
    now += 601_000;
    for (let i = 0; i < 20; i++) expect(await outcome(verifier.verify(token()))).toBe("user");
    await expect.poll(() => problems.length, { timeout: 10_000 }).toBe(1);
    expect(server.requests).toBe(4);
    await verifier.verify(token());
    expect(server.requests).toBe(4);
    now += 3_600_000;
    expect(await outcome(verifier.verify(token()))).toBe("invalid_token");
    server.failWith(200);
    now += 120_000;
    expect(await outcome(verifier.verify(token()))).toBe("user");
  });

  it("an issuer that fails twice and then answers is reached", async () => {
    server = await createTestIssuer();
    server.failWith(503);
    const verifier = verifierFor(server);
    const pending = outcome(verifier.verify(server.userToken(userId)));
    await expect.poll(() => server.requests, { interval: 5 }).toBe(2);
    server.failWith(200);
    expect(await pending).toBe("user");
    expect(server.requests).toBe(3);
  });

  it("given keys are never fetched, whatever their age", async () => {
    const signer = testSigner("k", "ES384");
    server = await createTestIssuer({ signer });
    const publicKeyPem = createPublicKey(signer.privateKey)
      .export({ format: "pem", type: "spki" })
      .toString();
    let now = Date.now();
    const verifier = verifierFor(server, {
      issuers: [{ issuer: server.issuer, audiences: ["test-app"], keys: [{ kid: "k", publicKeyPem }] }],
      now: () => now,
    });
    const token = () => server.userToken(userId, { expiresIn: 1e9, claims: { n: now } });
    expect(await outcome(verifier.verify(token()))).toBe("user");
    now += 1000 * 3_600_000;
    expect(await outcome(verifier.verify(token()))).toBe("user");
    expect(await outcome(verifier.verify(server.sign({ kid: "x" }, { iss: server.issuer })))).toBe(
      "invalid_token",
    );
    expect(server.requests).toBe(0);
  });

  it.each(["RS256", "ES256", "ES384", "ES512", "EdDSA"] as const)("%s", async (algorithm) => {
    server = await createTestIssuer({ signer: testSigner("k", algorithm) });
    const token = server.userToken(userId);
    expect(await outcome(verifierFor(server).verify(token))).toBe("user");
    expect(await outcome(verifierFor(server, { algorithms: [] }).verify(token))).toBe("invalid_token");
  });
});

describe("JWKS documents", () => {
  const publicJwk = (key: Parameters<typeof createPublicKey>[0]) =>
    createPublicKey(key).export({ format: "jwk" });
  const ec = publicJwk(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
  const weak = publicJwk(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey);

  it("keys that cannot be used are left out and reported", () => {
    const problems: string[] = [];
    const text = JSON.stringify({
      keys: [
        { ...ec, kid: "good" },
        { ...weak, kid: "weak" },
        { ...ec, kid: "encryption", use: "enc" },
        { ...ec, kid: "other algorithm", alg: "ES384" },
        { ...ec, kid: "off the curve", x: ec.y },
        { kty: "oct", k: "c2VjcmV0", kid: "symmetric" },
        { ...ec, crv: "secp256k1", kid: "curve" },
        "nonsense",
        ec,
      ],
    });
    expect([...parseJwks(text, (problem) => problems.push(problem)).keys()]).toEqual(["good", "default"]);
    expect(problems).toHaveLength(6);
  });

  it("none left is an error", () => {
    for (const text of ['{"keys":[]}', "{}", "[]", "null", JSON.stringify({ keys: [weak] })])
      expect(() => parseJwks(text, () => undefined)).toThrow();
  });
});
