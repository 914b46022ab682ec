import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import { decodeAddress, decodeBase58, encodeBase58 } from "../../../src/core/solana/base58.ts";
import type { ChallengeRecord } from "../../../src/core/solana/challenges.ts";
import { parseSignInText, type SignInInput, signInText } from "../../../src/core/solana/message.ts";
import { isSignedBy } from "../../../src/core/solana/signature.ts";
import { decodeBase64, type WalletOutput } from "../../../src/core/solana/signed-output.ts";
import { verifyOutput, type WalletPurpose } from "../../../src/core/solana/verify.ts";
import { testClock } from "../tokens/fixtures.ts";
import { testWallet } from "./wallet.ts";

const one = testWallet(Buffer.from(Array.from({ length: 32 }, (_, i) => i)));
const two = testWallet(Buffer.alloc(32, 0x42));

const input: SignInInput = {
  domain: "auth.example.com",
  address: one.address,
  uri: "https://auth.example.com",
  version: "1",
  chainId: "mainnet",
  nonce: "LqTT3d9tPF8RJqfzmsVnhC",
  issuedAt: "2026-07-01T12:00:00Z",
  expirationTime: "2026-07-01T12:15:00Z",
};
const message = signInText(input);
const signature = Buffer.from(
  "ec7532ad7c77b39e02d1b03acc97477bafb39da98bd349412675b5b06b1d6c9e061905d4371e562c0a23ce834b38a5a52b371fab2d59b509b223e1e3141bc707",
  "hex",
);
const fiveMinutesLater = Date.parse("2026-07-01T12:05:00Z") / 1000;

interface Attempt {
  readonly output?: WalletOutput;
  readonly text?: string;
  readonly input?: Partial<SignInInput>;
  readonly record?: Partial<ChallengeRecord>;
  readonly now?: number;
  readonly purpose?: WalletPurpose;
}

/** The code of one answer to a challenge of its own. */
async function answer(attempt: Attempt = {}): Promise<string> {
  const record: ChallengeRecord = {
    address: one.address,
    issued_at: input.issuedAt,
    expires_at: "2026-07-01T12:15:00Z",
    input: { ...input, ...attempt.input },
    ...attempt.record,
  };
  const waiting = new Map([[input.nonce, record]]);
  const challenges = {
    async take(nonce: string) {
      const found = waiting.get(nonce);
      waiting.delete(nonce);
      return found;
    },
  };
  const output = attempt.output ?? one.output(attempt.text ?? message);
  const clock = testClock(attempt.now ?? fiveMinutesLater);
  try {
    await verifyOutput(output, attempt.purpose ?? "login", { challenges, clock });
    return "ok";
  } catch (error) {
    return isAuthError(error) ? error.code : String(error);
  }
}

describe("vectors", () => {
  it("the message, its signature and the nonce are byte for byte those of the first vector", () => {
    expect(one.publicKey.toString("hex")).toBe(
      "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    );
    expect(one.address).toBe("FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF");
    expect(encodeBase58(Buffer.from("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf", "hex"))).toBe(input.nonce);
    expect(Buffer.byteLength(message)).toBe(267);
    expect(createHash("sha256").update(message).digest("hex")).toBe(
      "5cf3f54225331a3668573dbbcc3fe835a3b6b5bef724b2062e11cf9bfa9ea8e1",
    );
    expect(one.output(message).signature).toBe(
      "7HUyrXx3s54C0bA6zJdHe6+znamL00lBJnW1sGsdbJ4GGQXUNx5WLAojzoNLOKWlKzcfqy1ZtQmyI+HjFBvHBw==",
    );
    expect(isSignedBy(one.publicKey, Buffer.from(message), signature)).toBe(true);
  });

  it("the second: a statement, no URI, zeros in front of the nonce", async () => {
    const second: SignInInput = {
      domain: "app.example.org",
      address: two.address,
      statement: "Sign in to Example",
      version: "1",
      chainId: "testnet",
      nonce: encodeBase58(Buffer.from("00001111111111111111111111111111", "hex")),
      issuedAt: "2026-07-01T12:00:00Z",
      expirationTime: "2026-07-01T12:15:00Z",
    };
    expect(second.nonce).toBe("117GuhfEA8T1Zvj5UFZKW");
    const text = signInText(second);
    expect(createHash("sha256").update(text).digest("hex")).toBe(
      "995c548688c7b3948a494cab0b5ecea5ae75da1c2d1a09c45e1c518af4551c23",
    );
    expect(two.address).toBe("3F5qRPtKg8GhGNnbd3qCj6nVJxWsGxq7pvH84okYLAqf");
    expect(two.output(text).signature).toBe(
      "aTSjX6wyBepvWYquIz2h7Y8HI44FDfH1AG0dkzgr/QgIqyjTFznL7mEr27QppiJGnSQX3UzcUrhUqlQj5OopAA==",
    );
    expect(parseSignInText(text)).toMatchObject({ statement: "Sign in to Example", ambiguous: false });
    // Issued without a statement: wallets may show one of their own.
    const { statement: _, ...issued } = second;
    const record: ChallengeRecord = {
      address: two.address,
      issued_at: second.issuedAt,
      expires_at: "2026-07-01T12:15:00Z",
      input: issued,
    };
    const clock = testClock(fiveMinutesLater);
    const challenges = { take: async () => record };
    expect(await verifyOutput(two.output(text), "login", { challenges, clock })).toBe(record);
  });

  it("base64url without padding is read, base58 is not a signature", async () => {
    const good = one.output(message);
    const urlSafe = signature.toString("base64url");
    expect(await answer({ output: { ...good, signature: urlSafe } })).toBe("ok");
    const base58 = encodeBase58(signature);
    expect(base58).toBe(
      "5jCUWxLsQQD9RYWNrAvjCSLiN5sXs723xnFgRRBjnragZWuqDoQrHL8srwkxaxHZoG1JMPzUJhfh3J4cHTFnLeSa",
    );
    expect(decodeBase64(base58)).toHaveLength(66);
    expect(await answer({ output: { ...good, signature: base58 } })).toBe("invalid_signature");
  });
});

describe("changes of the first vector", () => {
  const good = one.output(message);
  const flipped = Buffer.from(signature);
  flipped[0] = (flipped[0] ?? 0) ^ 0xff;
  const resigned = (from: string | RegExp, to: string) => ({ text: message.replace(from, to) });
  const cases: readonly (readonly [string, Attempt, string])[] = [
    ["none", {}, "ok"],
    ["signature", { output: { ...good, signature: flipped.toString("base64") } }, "invalid_signature"],
    ["time is up", { now: Date.parse("2026-07-01T12:15:01Z") / 1000 }, "challenge_expired"],
    ["the last second", { now: Date.parse("2026-07-01T12:15:00Z") / 1000 }, "ok"],
    ["another wallet's challenge", { record: { address: two.address } }, "address_mismatch"],
    ["another account", { output: { ...good, address: two.address } }, "address_mismatch"],
    ["domain", { input: { domain: "evil.com" } }, "authentication_failed"],
    [
      "public key",
      { output: { ...good, publicKey: two.publicKey.toString("base64") } },
      "authentication_failed",
    ],
    ["no public key", { output: { ...good, publicKey: "" } }, "ok"],
    ["undecodable public key", { output: { ...good, publicKey: "!!" } }, "invalid_request"],
    ["line feed at the end", { text: `${message}\n` }, "ok"],
    ["chain", resigned("mainnet", "devnet"), "authentication_failed"],
    ["CRLF", resigned(/\n/g, "\r\n"), "authentication_failed"],
    ["address line", resigned(one.address, two.address), "authentication_failed"],
    ["no URI", resigned(/URI: .*\n/, ""), "authentication_failed"],
    ["version", resigned("Version: 1", "Version: 2"), "authentication_failed"],
    ["no version", resigned("Version: 1\n", ""), "authentication_failed"],
    ["later expiration", resigned("12:15:00Z", "12:16:00Z"), "authentication_failed"],
    ["past expiration", resigned("12:15:00Z", "12:04:00Z"), "challenge_expired"],
    ["unreadable expiration", resigned("2026-07-01T12:15:00Z", "soon"), "challenge_expired"],
    ["issued in the future", resigned("12:00:00Z", "12:10:01Z"), "challenge_expired"],
    ["issued a little ahead", resigned("12:00:00Z", "12:09:00Z"), "authentication_failed"],
    ["not before", { text: `${message}\nNot Before: 2026-07-01T12:00:00Z` }, "authentication_failed"],
    ["not yet", { text: `${message}\nNot Before: 2026-07-01T12:06:00Z` }, "challenge_expired"],
    ["a field twice", { text: `${message}\nVersion: 1` }, "authentication_failed"],
    ["request id and resources", { text: `${message}\nRequest ID: x\nResources:\n- https://a\n- b` }, "ok"],
    ["another nonce", resigned(input.nonce, "1111111111111111"), "challenge_expired"],
    ["no nonce", resigned(/Nonce: .*\n/, ""), "challenge_expired"],
    ["no message", { text: "hello" }, "authentication_failed"],
    ["no message, linking", { text: "hello", purpose: "link" }, "invalid_request"],
    ["signature encoding", { output: { ...good, signature: "!" } }, "invalid_signature_encoding"],
    ["padded base64url", { output: { ...good, signature: "-_==" } }, "invalid_signature_encoding"],
    ["message encoding", { output: { ...good, signedMessage: "?" } }, "invalid_message_encoding"],
    [
      "not UTF-8",
      { output: { ...good, signedMessage: Buffer.from([0xff, 0x0a, 0x41]).toString("base64") } },
      "authentication_failed",
    ],
    [
      "empty",
      { output: { address: "", publicKey: "", signature: "", signedMessage: "" } },
      "authentication_failed",
    ],
  ];
  it.each(cases)("%s", async (_, attempt, expected) => {
    expect(await answer(attempt)).toBe(expected);
  });
});

describe("addresses", () => {
  it("are 32 bytes of base58", () => {
    const valid = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU";
    expect(encodeBase58(decodeAddress(valid) ?? Buffer.alloc(0))).toBe(valid);
    expect(decodeAddress("1".repeat(32))).toEqual(Buffer.alloc(32));
    for (const text of ["", "abc", "0OIl", " ", `${valid} `, `${valid}1`, "1".repeat(33), "z".repeat(5000)])
      expect([text, decodeAddress(text)]).toEqual([text, undefined]);
    expect(decodeBase58("11")).toEqual(Buffer.alloc(2));
  });
});

describe("strict signatures", () => {
  const text = Buffer.from(message);
  it("keys of small order and of no canonical form verify nothing", () => {
    const weak = [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000080",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    // R of the neutral element and S = 0 satisfies the equation for the neutral element as key.
    const forged = Buffer.concat([Buffer.from(weak[1] ?? "", "hex"), Buffer.alloc(32)]);
    for (const key of weak) expect(isSignedBy(Buffer.from(key, "hex"), text, forged)).toBe(false);
  });

  it("S plus the order of the group is refused", () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + order;
    const bytes = Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse();
    const malleable = Buffer.concat([signature.subarray(0, 32), bytes]);
    expect(isSignedBy(one.publicKey, text, malleable)).toBe(false);
    expect(isSignedBy(one.publicKey, text, signature.subarray(0, 63))).toBe(false);
  });
});
