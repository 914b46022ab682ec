/**
 * `node bench/verify.ts`: verifications a second on one core, of the verify library and of `jwtVerify` of jose, for each algorithm: every token
 * new (cold), and tokens seen before (warm). Exit code 1 when warm EdDSA verification is below 50 000 a second.
 */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { createVerifier } from "../src/verify/index.ts";
import { createTestIssuer, type TestIssuer, testSigner } from "../src/verify/testing.ts";

const budget = 50_000;
const coldTokens = 3_000;
const warmTokens = 1_000;
const warmRounds = 300;

function tokensOf(server: TestIssuer, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) =>
    server.userToken(`019f0000-0000-7000-8000-${String(from + i).padStart(12, "0")}`, {
      claims: { sid: "019f0000-0000-7000-8000-000000000001", amr: ["pwd"], auth_time: 1, entitlements: null },
    }),
  );
}

/** Calls a second, one after the other, as a request handler awaits them. */
async function rate(tokens: readonly string[], rounds: number, work: (token: string) => Promise<unknown>) {
  const start = process.hrtime.bigint();
  for (let round = 0; round < rounds; round++) for (const token of tokens) await work(token);
  return Math.round((tokens.length * rounds) / (Number(process.hrtime.bigint() - start) / 1e9));
}

let met = true;
console.log("| algorithm | jose/s | cold/s | cold ÷ jose | warm/s | warm ÷ jose |");
console.log("|---|---:|---:|---:|---:|---:|");
for (const algorithm of ["EdDSA", "ES256", "RS256"] as const) {
  const server = await createTestIssuer({ signer: testSigner("k", algorithm) });
  try {
    const document: JSONWebKeySet = JSON.parse(await (await fetch(server.jwksUri)).text());
    const jwks = createLocalJWKSet(document);
    const expected = { issuer: server.issuer, audience: server.audience };
    const verifier = createVerifier({
      issuers: [{ issuer: server.issuer, audiences: [server.audience] }],
      cacheBytes: 64 << 20,
    });
    const cold = tokensOf(server, coldTokens);
    const warm = tokensOf(server, warmTokens, coldTokens);
    await rate(warm, 1, (token) => jwtVerify(token, jwks, expected));
    await rate(warm, 1, (token) => verifier.verify(token));
    const jose = await rate(cold, 1, (token) => jwtVerify(token, jwks, expected));
    const first = await rate(cold, 1, (token) => verifier.verify(token));
    const again = await rate(warm, warmRounds, (token) => verifier.verify(token));
    const ratios = [first, again].map((value) => (value / jose).toFixed(2));
    console.log(`| ${algorithm} | ${jose} | ${first} | ${ratios[0]} | ${again} | ${ratios[1]} |`);
    if (algorithm === "EdDSA" && again < budget) met = false;
  } finally {
    await server.close();
  }
}
console.log(met ? `warm EdDSA: at least ${budget}/s` : `warm EdDSA: below ${budget}/s`);
process.exitCode = met ? 0 : 1;
