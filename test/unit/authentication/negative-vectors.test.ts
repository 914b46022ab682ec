import { constants, createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { exportJWK } from "jose";
import { describe, expect, it } from "vitest";
import { duplicateMembers } from "../../../src/core/authentication/compact.ts";
import { generatePrivateKey, publicPem } from "../../../src/core/signing-keys/generate.ts";
import { buildKeySet } from "../../../src/core/signing-keys/key-set.ts";
import { authenticatorFor, encode, forge, issuer, now, outcome, sessionId, userId } from "./fixtures.ts";

const claims = { iss: issuer, sub: userId, aud: ["authkit"], iat: now, exp: now + 900, sid: sessionId };
const header = { alg: "ES256", kid: "k1", typ: "access+jwt" };

function setUp() {
  const server = authenticatorFor();
  const key = server.keys.active?.privateKey;
  if (key === undefined) throw new Error("no key");
  return {
    ...server,
    key,
    publicKey: createPublicKey(key),
    try: (token: string) => outcome(() => server.authenticate(token)),
  };
}

describe("forged tokens", () => {
  it("a well-made one passes, so that the refusals below mean something", async () => {
    const server = setUp();
    expect(await server.try(forge(header, claims, server.key))).toBe("user");
  });

  it.each(["none", "None", "NONE", "nOnE", ""])("alg %j is refused", async (alg) => {
    const server = setUp();
    const unsigned = `${encode({ ...header, alg })}.${encode(claims)}.`;
    expect(await server.try(unsigned)).toBe("invalid_token");
    expect(await server.try(`${unsigned}AA`)).toBe("invalid_token");
    expect(await server.try(forge({ ...header, alg }, claims, server.key))).toBe("invalid_token");
  });

  it.each(["HS256", "HS384", "HS512"])("%s keyed with the public key is refused", async (alg) => {
    const server = setUp();
    const secrets = [
      publicPem(server.publicKey),
      server.publicKey.export({ format: "der", type: "spki" }),
      server.keys.jwks,
    ];
    for (const secret of secrets) {
      const input = `${encode({ ...header, alg })}.${encode(claims)}`;
      const mac = createHmac(`sha${alg.slice(2)}`, secret)
        .update(input)
        .digest("base64url");
      expect(await server.try(`${input}.${mac}`)).toBe("invalid_token");
    }
  });

  it("keys brought along in the header are not looked at", async () => {
    const server = setUp();
    const mine = generatePrivateKey("ES256");
    const jwk = { ...(await exportJWK(createPublicKey(mine))), kid: "k1", alg: "ES256" };
    for (const injected of [
      { jwk },
      { jku: "https://evil.example/jwks" },
      { x5u: "https://evil.example/c" },
      { x5c: ["AA=="] },
    ]) {
      expect(await server.try(forge({ ...header, ...injected }, claims, mine))).toBe("invalid_token");
      expect(await server.try(forge({ alg: "ES256", typ: "access+jwt", ...injected }, claims, mine))).toBe(
        "invalid_token",
      );
    }
  });

  it("a key id selects a key and nothing else", async () => {
    const server = setUp();
    for (const kid of [
      "",
      "k2",
      "../k1",
      "k1\u0000",
      "__proto__",
      "constructor",
      1,
      null,
      ["k1"],
      { a: 1 },
    ]) {
      expect(await server.try(forge({ ...header, kid }, claims, server.key))).toBe("invalid_token");
    }
  });

  it("without a key id the only key serves; with several none does", async () => {
    const server = setUp();
    const { kid: _, ...anonymous } = header;
    expect(await server.try(forge(anonymous, claims, server.key))).toBe("user");
    const others = new Map([["k0", createPublicKey(generatePrivateKey("ES256"))]]);
    server.keyring.swap(
      buildKeySet({ active: { kid: "k1", privateKey: server.key }, others }, "none", new Date(0)),
    );
    expect(await server.try(forge(anonymous, claims, server.key))).toBe("invalid_token");
  });

  it("an algorithm other than the key's is refused, an allowed one too", async () => {
    const server = setUp();
    for (const alg of ["RS256", "ES384", "ES512", "EdDSA", "es256", "PS256", "ES256K"]) {
      expect(await server.try(forge({ ...header, alg }, claims, server.key))).toBe("invalid_token");
    }
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    server.keyring.swap(
      buildKeySet({ active: { kid: "k1", privateKey: rsa }, others: new Map() }, "none", new Date(0)),
    );
    const input = `${encode({ ...header, alg: "PS256" })}.${encode(claims)}`;
    const pss = sign("sha256", Buffer.from(input), {
      key: rsa,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    });
    expect(await server.try(`${input}.${pss.toString("base64url")}`)).toBe("invalid_token");
  });

  it("zero and oversized ECDSA signatures never verify (CVE-2022-21449)", async () => {
    const server = setUp();
    const input = `${encode(header)}.${encode(claims)}`;
    const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
    const one = Buffer.concat([Buffer.alloc(31), Buffer.of(1)]);
    const zero = Buffer.alloc(32);
    for (const pair of [
      [zero, zero],
      [zero, one],
      [one, zero],
      [order, order],
      [order, one],
    ]) {
      expect(await server.try(`${input}.${Buffer.concat(pair).toString("base64url")}`)).toBe("invalid_token");
    }
    for (const length of [0, 1, 32, 63, 65, 72, 128]) {
      expect(await server.try(`${input}.${Buffer.alloc(length, 1).toString("base64url")}`)).toBe(
        "invalid_token",
      );
    }
  });

  it("a DER signature is refused", async () => {
    const server = setUp();
    const input = `${encode(header)}.${encode(claims)}`;
    const der = sign("sha256", Buffer.from(input), { key: server.key, dsaEncoding: "der" });
    expect(await server.try(`${input}.${der.toString("base64url")}`)).toBe("invalid_token");
  });

  it("every changed part breaks the signature", async () => {
    const server = setUp();
    const [head = "", payload = "", signature = ""] = forge(header, claims, server.key).split(".");
    expect(await server.try(`${encode({ ...header, typ: "x" })}.${payload}.${signature}`)).toBe(
      "invalid_token",
    );
    expect(await server.try(`${head}.${encode({ ...claims, sub: sessionId })}.${signature}`)).toBe(
      "invalid_token",
    );
    const bytes = Buffer.from(signature, "base64url");
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    expect(await server.try(`${head}.${payload}.${bytes.toString("base64url")}`)).toBe("invalid_token");
  });

  it("duplicate members are refused, escaped spellings included", async () => {
    const server = setUp();
    const headers = [
      '{"alg":"ES256","kid":"k1","typ":"access+jwt","alg":"none"}',
      '{"alg":"none","kid":"k1","typ":"access+jwt","\\u0061lg":"ES256"}',
      '{"kid":"k0","alg":"ES256","kid":"k1","typ":"access+jwt"}',
      '{"alg":"ES256","kid":"k1","typ":"JWT","typ":"access+jwt"}',
    ];
    for (const text of headers)
      expect(await server.try(forge(text, claims, server.key))).toBe("invalid_token");
    const text = JSON.stringify(claims);
    expect(await server.try(forge(header, `${text.slice(0, -1)},"sub":"${sessionId}"}`, server.key))).toBe(
      "invalid_token",
    );
    expect(await server.try(forge(header, `{"\\u0073ub":"x",${text.slice(1)}`, server.key))).toBe(
      "invalid_token",
    );
  });

  it("critical extensions are refused, even an empty list", async () => {
    const server = setUp();
    for (const crit of [["b64"], ["exp"], []]) {
      expect(await server.try(forge({ ...header, crit, b64: false }, claims, server.key))).toBe(
        "invalid_token",
      );
    }
  });

  it("malformed text is refused without an exception of another kind", async () => {
    const server = setUp();
    const good = forge(header, claims, server.key);
    const [head = "", payload = "", signature = ""] = good.split(".");
    const malformed = [
      "x",
      "..",
      "a.b",
      "a.b.c",
      "a.b.c.d.e",
      `${good}.`,
      `.${good}`,
      `${good}=`,
      good.replace(".", ". "),
      `${head}.${payload}.${signature}A`,
      `${head}.${payload}.${signature.replaceAll("-", "+")}+`,
      `${encode("[]")}.${payload}.${signature}`,
      `${encode("null")}.${payload}.${signature}`,
      `${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.${payload}.${signature}`,
      `${head}.${encode('"text"')}.${signature}`,
      `${"A".repeat(40_000)}.${payload}.${signature}`,
    ];
    for (const token of malformed)
      expect([token.slice(0, 20), await server.try(token)]).toEqual([token.slice(0, 20), "invalid_token"]);
  });

  it("no second spelling of a token verifies", async () => {
    const server = setUp();
    const token = forge(header, claims, server.key);
    const last = token.at(-1) ?? "";
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const twin = alphabet[alphabet.indexOf(last) ^ 1] ?? "";
    expect(Buffer.from((token.slice(0, -1) + twin).split(".")[2] ?? "", "base64url")).toEqual(
      Buffer.from(token.split(".")[2] ?? "", "base64url"),
    );
    expect(await server.try(token.slice(0, -1) + twin)).toBe("invalid_token");
  });
});

describe("duplicate members", () => {
  it("are found at the top level only", () => {
    expect(duplicateMembers('{"a":{"b":1,"b":2},"c":["a",{"a":1}],"b":"\\"a\\":"}')).toEqual([]);
    expect(duplicateMembers('{"a":1,"b":{"x":"}"},"a":2}')).toEqual(["a"]);
    expect(duplicateMembers('{ "a" : "x\\\\" , "a" : 1 }')).toEqual(["a"]);
    expect(duplicateMembers("{}")).toEqual([]);
  });
});
