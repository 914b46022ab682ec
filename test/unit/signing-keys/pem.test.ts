import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { generatePrivateKey, privatePem, publicPem } from "../../../src/core/signing-keys/generate.ts";
import { algorithmOf, parsePrivateKey, parsePublicKey } from "../../../src/core/signing-keys/pem.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ec = generatePrivateKey("ES384");

function pem(key: KeyObject, type: "pkcs1" | "sec1"): string {
  return key.export({ format: "pem", type }).toString();
}

/** Self-signed certificate of a P-256 key, valid until 2126. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBezCCASGgAwIBAgIUWHjDLe62KCIYAQqvygGZ5i43ACowCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHYXV0aGtpdDAgFw0yNjExMjQwNTIwMThaGA8yMTI2MTAzMTA1
MjAxOFowEjEQMA4GA1UEAwwHYXV0aGtpdDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABF3wL8cZ2DnuQdOfdcnV2Wd8vo6f+8YNltUXiRj4SUCUAq97+AvGBS2imXcF
1lBlQWx9cXi5Irh6CpyLQDaqkcmjUzBRMB0GA1UdDgQWBBQKxmkp6a+oqZ0ZVZBs
cK4naI4CgjAfBgNVHSMEGDAWgBQKxmkp6a+oqZ0ZVZBscK4naI4CgjAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQC/vUUl/0APkyhUdbHubIxVKDMz
W1O3BBuCM80bHcjyxAIgapHMkq72ZEKBBIYjBY785s2l0fVdVjHdtJd/WgWNmYw=
-----END CERTIFICATE-----`;

const certified = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXfAvxxnYOe5B0591ydXZZ3y+jp/7
xg2W1ReJGPhJQJQCr3v4C8YFLaKZdwXWUGVBbH1xeLkiuHoKnItANqqRyQ==
-----END PUBLIC KEY-----`;

describe("private keys", () => {
  it("reads PKCS #1, SEC 1 and PKCS #8", () => {
    expect(parsePrivateKey(pem(rsa, "pkcs1")).equals(rsa)).toBe(true);
    expect(parsePrivateKey(pem(ec, "sec1")).equals(ec)).toBe(true);
    for (const key of [rsa, ec, generatePrivateKey("EdDSA")])
      expect(parsePrivateKey(privatePem(key)).equals(key)).toBe(true);
  });

  it("reads the first block only, and literal line feeds of environment variables", () => {
    const other = privatePem(generatePrivateKey("ES256"));
    expect(parsePrivateKey(privatePem(ec) + other).equals(ec)).toBe(true);
    expect(parsePrivateKey(privatePem(ec).replaceAll("\n", "\\n")).equals(ec)).toBe(true);
    expect(parsePrivateKey(privatePem(ec).replaceAll("\n", "\\r\\n")).equals(ec)).toBe(true);
  });

  it("skips the curve OpenSSL writes before a SEC 1 key", () => {
    const parameters = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n";
    expect(parsePrivateKey(parameters + pem(ec, "sec1")).equals(ec)).toBe(true);
  });

  it("refuses encrypted, weak, foreign and broken keys, without quoting them", () => {
    const encrypted = rsa
      .export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "x" })
      .toString();
    expect(() => parsePrivateKey(encrypted)).toThrow("encrypted");
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
    expect(() => parsePrivateKey(privatePem(weak))).toThrow("1024 bits; at least 2048");
    const koblitz = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey;
    expect(() => parsePrivateKey(privatePem(koblitz))).toThrow("secp256k1");
    expect(() => parsePrivateKey(privatePem(generateKeyPairSync("x25519").privateKey))).toThrow("x25519");
    expect(() => parsePrivateKey("c2VjcmV0")).toThrow("no PEM block");
    expect(() => parsePrivateKey("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----")).toThrow(
      /^private key is not a usable private key$/,
    );
    expect(() => parsePrivateKey(publicPem(createPublicKey(rsa)))).toThrow("not a usable private key");
  });
});

describe("public keys", () => {
  it("reads the key of a certificate", () => {
    expect(parsePublicKey(certificate).equals(createPublicKey(certified))).toBe(true);
  });

  it("reads SPKI and PKCS #1", () => {
    const key = createPublicKey(rsa);
    expect(parsePublicKey(publicPem(key)).equals(key)).toBe(true);
    expect(parsePublicKey(pem(key, "pkcs1")).equals(key)).toBe(true);
  });

  it("refuses private keys, broken certificates and small keys", () => {
    expect(() => parsePublicKey(privatePem(ec))).toThrow("PRIVATE KEY block");
    expect(() => parsePublicKey(certificate.replace("MIIB", "MIIC"))).toThrow("not a usable public key");
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
    expect(() => parsePublicKey(publicPem(weak))).toThrow("1024 bits");
  });

  it("names the algorithm of each type", () => {
    expect(algorithmOf(rsa)).toBe("RS256");
    for (const algorithm of ["ES256", "ES384", "ES512", "EdDSA"] as const) {
      expect(algorithmOf(generatePrivateKey(algorithm))).toBe(algorithm);
    }
  });
});
