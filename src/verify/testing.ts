import { createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import { tokenType } from "./claims.ts";
import type { Members } from "./compact.ts";
import type { Algorithm } from "./keys.ts";

/** What a test signs with; `algorithm` must fit the key. */
export interface TestSigner {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
}

export interface TestIssuerOptions {
  /** Default `test-app`. */
  readonly audience?: string | undefined;
  /** Default: a new RSA key of 2048 bits under `test-key-1`. */
  readonly signer?: TestSigner | undefined;
}

export interface TestTokenOptions {
  /** Added to the claims, and winning over them; `undefined` removes one. */
  readonly claims?: Members | undefined;
  /** JOSE `typ`; default `access+jwt`. */
  readonly typ?: string | undefined;
  /** Seconds until it expires; default 3600. */
  readonly expiresIn?: number | undefined;
}

/** An issuer in the test's own process, with its JWKS on a loopback port. */
export interface TestIssuer {
  /** `http://127.0.0.1:<port>`; its JWKS is at `/.well-known/jwks.json`. */
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri: string;
  /** Requests for the JWKS so far. */
  readonly requests: number;
  /** A token of a user. */
  userToken(userId: string, options?: TestTokenOptions): string;
  /** A user token with roles. */
  tokenWithRoles(userId: string, roles: readonly string[], options?: TestTokenOptions): string;
  /** A user token that expired an hour ago. */
  expiredToken(userId: string, options?: TestTokenOptions): string;
  serviceToken(service: string, permissions?: readonly string[], options?: TestTokenOptions): string;
  delegatedToken(subject: string, permissions?: readonly string[], options?: TestTokenOptions): string;
  /** Any header members and claims, signed; `alg` and `kid` are the signer's unless given. */
  sign(header: Members, claims: Members, signer?: TestSigner): string;
  /** Replaces the signer; its key is published, the former ones stay so. */
  rotate(signer?: TestSigner): TestSigner;
  /** Publishes the current key alone. */
  dropFormerKeys(): void;
  /** Answers requests for the JWKS with this status; 200 to serve it again. */
  failWith(status: number): void;
  close(): Promise<void>;
}

const digests: Readonly<Record<Algorithm, string | null>> = {
  RS256: "sha256",
  ES256: "sha256",
  ES384: "sha384",
  ES512: "sha512",
  EdDSA: null,
};
const curves = { ES256: "P-256", ES384: "P-384", ES512: "P-521" } as const;

/** A new key to sign with. */
export function testSigner(kid = "test-key-1", algorithm: Algorithm = "RS256"): TestSigner {
  switch (algorithm) {
    case "RS256":
      return { kid, algorithm, privateKey: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey };
    case "EdDSA":
      return { kid, algorithm, privateKey: generateKeyPairSync("ed25519").privateKey };
    default:
      return {
        kid,
        algorithm,
        privateKey: generateKeyPairSync("ec", { namedCurve: curves[algorithm] }).privateKey,
      };
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function jwk({ kid, algorithm, privateKey }: TestSigner): Members {
  return { ...createPublicKey(privateKey).export({ format: "jwk" }), kid, alg: algorithm, use: "sig" };
}

/** Starts a test issuer; close it at the end. Tokens of it pass a verifier whose options name its `issuer` and `audience`. */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const audience = options.audience ?? "test-app";
  let signer = options.signer ?? testSigner();
  let published = [signer];
  let status = 200;
  let requests = 0;

  const server = createServer((request, response) => {
    if (request.url !== "/.well-known/jwks.json") {
      response.writeHead(404).end();
      return;
    }
    requests++;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ keys: published.map(jwk) }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const issuer = `http://127.0.0.1:${port}`;

  const signed: TestIssuer["sign"] = (header, claims, by = signer) => {
    const input = `${encode({ alg: by.algorithm, kid: by.kid, ...header })}.${encode(claims)}`;
    const key = { key: by.privateKey, dsaEncoding: "ieee-p1363" } as const;
    return `${input}.${sign(digests[by.algorithm], Buffer.from(input), key).toString("base64url")}`;
  };
  const token = (
    typ: string,
    claims: Members,
    { claims: more, typ: given, expiresIn = 3600 }: TestTokenOptions,
  ): string => {
    const iat = Math.floor(Date.now() / 1000);
    return signed(
      { typ: given ?? typ },
      { iss: issuer, aud: audience, iat, exp: iat + expiresIn, ...claims, ...more },
    );
  };
  const userToken = (userId: string, given: TestTokenOptions = {}): string =>
    token(tokenType.access, { sub: userId }, given);

  return {
    issuer,
    audience,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    get requests() {
      return requests;
    },
    userToken,
    tokenWithRoles: (userId, roles, given = {}) =>
      userToken(userId, { ...given, claims: { roles, ...given.claims } }),
    expiredToken: (userId, given = {}) => userToken(userId, { ...given, expiresIn: -3600 }),
    serviceToken: (service, permissions = [], given = {}) => {
      const nbf = Math.floor(Date.now() / 1000);
      const claims = { sub: service, jti: randomUUID(), token_use: "service", permissions, nbf };
      return token(tokenType.service, claims, { expiresIn: 900, ...given });
    },
    delegatedToken: (subject, permissions = [], given = {}) =>
      token(tokenType.delegated, { delegated_sub: subject, permissions, jti: randomUUID() }, given),
    sign: signed,
    rotate(next = testSigner(`test-key-${published.length + 1}`, signer.algorithm)) {
      signer = next;
      published = [...published.filter(({ kid }) => kid !== next.kid), next];
      return next;
    },
    dropFormerKeys() {
      published = [signer];
    },
    failWith(code) {
      status = code;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
