import { afterAll, beforeAll, expect, test } from "vitest";
import { api, behindProxy, messageTo, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, type TestReply } from "../support/http.ts";
import { type TestWallet, testWallet } from "../unit/solana/wallet.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_SOLANA_NETWORK: "mainnet-beta",
      AUTHKIT_SOLANA_DOMAIN: "auth.example.com",
    },
  });
});
afterAll(() => cluster?.stop());

async function challenge(
  wallet: TestWallet,
  more: Record<string, unknown> = {},
  bearer?: string,
): Promise<string> {
  const reply = await api(cluster, "/solana/challenge", {
    body: { address: wallet.address, ...more },
    ...(bearer === undefined ? {} : { bearer }),
  });
  expect(reply.text).toContain("nonce");
  return String(reply.body["message"]);
}

const login = (body: unknown): Promise<TestReply> => api(cluster, "/solana/login", { body });
const link = (body: unknown, bearer?: string): Promise<TestReply> =>
  api(cluster, "/solana/link", { body, ...(bearer === undefined ? {} : { bearer }) });

/** Signs in with the wallet. */
async function signIn(wallet: TestWallet, more: Record<string, unknown> = {}): Promise<TestReply> {
  return login(wallet.body(await challenge(wallet, more)));
}

test("a challenge says what will be signed", async () => {
  const wallet = testWallet();
  const reply = await api(cluster, "/solana/challenge", {
    body: { ADDRESS: ` ${wallet.address} `, chain_id: "x" },
  });
  expect(reply.status).toBe(200);
  const { nonce, issued_at: issuedAt, message } = reply.body;
  expect(nonce).toMatch(/^[1-9A-HJ-NP-Za-km-z]{16,22}$/);
  expect(issuedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const expires = new Date(Date.parse(String(issuedAt)) + 900_000).toISOString().replace(".000Z", "Z");
  expect(message).toBe(
    [
      "auth.example.com wants you to sign in with your Solana account:",
      wallet.address,
      "",
      `URI: ${cluster.url}`,
      "Version: 1",
      "Chain ID: mainnet",
      `Nonce: ${nonce}`,
      `Issued At: ${issuedAt}`,
      `Expiration Time: ${expires}`,
    ].join("\n"),
  );
});

test.each([
  ["no address", {}, "address_required"],
  ["blank address", { address: "  " }, "address_required"],
  ["no base58", { address: "0OIl" }, "invalid_address"],
  ["short", { address: "abc" }, "invalid_address"],
  ["unknown member", { address: "abc", x: 1 }, "invalid_request"],
  ["wrong type", { address: 1 }, "invalid_request"],
  ["unknown purpose", { address: "1".repeat(32), purpose: "x" }, "invalid_request"],
  ["short name", { address: "1".repeat(32), username: "abc" }, "username_too_short"],
  ["name with blanks", { address: "1".repeat(32), username: "ab cd" }, "username_invalid_characters"],
] as const)("challenge refused: %s", async (_, body, code) => {
  const reply = await api(cluster, "/solana/challenge", { body });
  expect([reply.status, reply.code]).toEqual([400, code]);
});

test("a new wallet gets an account, the next time it is found, and management finds it by address", async () => {
  const wallet = testWallet();
  const first = await signIn(wallet, { username: " satoshi_n " });
  expect(first.status).toBe(200);
  expect(first.body).toMatchObject({
    token_type: "Bearer",
    created: true,
    user: { solana_address: wallet.address },
  });
  const claims = JSON.parse(
    Buffer.from(String(first.body["access_token"]).split(".")[1] ?? "", "base64url").toString(),
  );
  expect(claims).toMatchObject({ provider: "solana", solana_address: wallet.address, amr: ["swk"] });
  const me = await api(cluster, "/me", { bearer: String(first.body["access_token"]) });
  expect(me.body).toMatchObject({
    username: "satoshi_n",
    solana_address: wallet.address,
    solana_linked_account: {
      provider: "solana",
      issuer: "solana:mainnet",
      address: wallet.address,
      verified: true,
      primary_sns_name: null,
      sns_resolution_status: "disabled",
      sns_stale: false,
    },
  });
  const second = await signIn(wallet);
  expect(second.body).toMatchObject({ created: false, user: first.body["user"] });
  const found = await call(cluster, "GetUserBySolanaAddress", { address: wallet.address });
  expect(found.text).toContain(claims.sub);
  const other = testWallet();
  const taken = await signIn(other, { username: "satoshi_n" });
  const renamed = await api(cluster, "/me", { bearer: String(taken.body["access_token"]) });
  expect(renamed.body["username"]).toMatch(/^satoshi_n_\d{4}$/);
  const unnamed = testWallet();
  const plain = await api(cluster, "/me", { bearer: String((await signIn(unnamed)).body["access_token"]) });
  expect(plain.body["username"]).toContain(`u_${unnamed.address.slice(0, 4).toLowerCase()}`);
});

test("of fifty submissions of one answer exactly one signs in", async () => {
  const wallet = testWallet();
  const body = wallet.body(await challenge(wallet));
  const ip = "9.9.9.9";
  const replies = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      api(cluster, "/solana/login", { body, ip: `${ip.slice(0, -1)}${i + 1}` }),
    ),
  );
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(replies.filter(({ code }) => code === "challenge_expired")).toHaveLength(49);
});

test("of many answers for one new wallet one makes the account, the others find it", async () => {
  const wallet = testWallet();
  const bodies = await Promise.all(
    Array.from({ length: 8 }, async () => wallet.body(await challenge(wallet))),
  );
  const replies = await Promise.all(bodies.map(login));
  expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200));
  expect(replies.filter(({ body }) => body["created"] === true)).toHaveLength(1);
  expect(new Set(replies.map(({ body }) => JSON.stringify(body["user"]))).size).toBe(1);
});

test("answers that are refused, at either door", async () => {
  const wallet = testWallet();
  const stranger = testWallet();
  const { accessToken } = await registered(cluster);
  const foreign = async () => {
    const message = await challenge(wallet);
    return stranger.body(message);
  };
  const unsigned = async (change: (message: string) => string) =>
    wallet.body(change(await challenge(wallet)));
  const broken = async () => {
    const { output } = wallet.body(await challenge(wallet));
    return { output: { ...output, signature: stranger.output("x").signature } };
  };
  const withMember = async (name: string, value: unknown) => {
    const { output } = wallet.body(await challenge(wallet));
    return { output: { ...output, [name]: value } };
  };
  const cases: readonly (readonly [() => Promise<unknown>, number, string, number, string])[] = [
    [async () => ({}), 401, "authentication_failed", 400, "invalid_request"],
    [async () => ({ output: { x: 1 } }), 400, "invalid_request", 400, "invalid_request"],
    [async () => ({ output: [] }), 400, "invalid_request", 400, "invalid_request"],
    [() => withMember("signatureType", "ed25519"), 400, "invalid_request", 400, "invalid_request"],
    [
      () => withMember("signature", "!"),
      400,
      "invalid_signature_encoding",
      400,
      "invalid_signature_encoding",
    ],
    [
      () => withMember("signedMessage", "!"),
      400,
      "invalid_message_encoding",
      400,
      "invalid_message_encoding",
    ],
    [foreign, 400, "address_mismatch", 400, "address_mismatch"],
    [broken, 401, "invalid_signature", 401, "invalid_signature"],
    [
      () => unsigned((text) => text.replace("auth.example.com", "evil.example")),
      401,
      "authentication_failed",
      401,
      "authentication_failed",
    ],
    [
      () => unsigned((text) => text.replace(/Nonce: .*/, "Nonce: 117GuhfEA8T1Zvj5UFZKW")),
      401,
      "challenge_expired",
      401,
      "challenge_expired",
    ],
  ];
  for (const [body, loginStatus, loginCode, linkStatus, linkCode] of cases) {
    const refused = await login(await body());
    expect([refused.status, refused.code]).toEqual([loginStatus, loginCode]);
    const notLinked = await link(await body(), accessToken);
    expect([notLinked.status, notLinked.code]).toEqual([linkStatus, linkCode]);
  }
});

test("linking: a wallet signs in to the account it is linked to, and to no second one", async () => {
  const wallet = testWallet();
  const person = await registered(cluster);
  const linked = await link(wallet.body(await challenge(wallet)), person.accessToken);
  expect(linked.status).toBe(200);
  expect(linked.body).toEqual({
    success: true,
    message: "Solana wallet linked successfully",
    solana_address: wallet.address,
  });
  expect((await messageTo(cluster, person.email)).text).toContain("linked");
  expect((await link(wallet.body(await challenge(wallet)), person.accessToken)).status).toBe(200);
  const signedIn = await signIn(wallet);
  expect(signedIn.body["created"]).toBe(false);
  const me = await api(cluster, "/me", { bearer: String(signedIn.body["access_token"]) });
  expect(me.body["username"]).toBe(person.username);
  const other = await registered(cluster);
  const taken = await link(wallet.body(await challenge(wallet)), other.accessToken);
  expect([taken.status, taken.code]).toEqual([409, "wallet_already_linked"]);
  const replacement = testWallet();
  expect((await link(replacement.body(await challenge(replacement)), person.accessToken)).status).toBe(200);
  const now = await api(cluster, "/me", { bearer: person.accessToken });
  expect(now.body["solana_address"]).toBe(replacement.address);
});

test("linking needs a person, and a challenge bound to an account serves that account alone", async () => {
  const wallet = testWallet();
  const anonymous = await link(wallet.body("x"));
  expect([anonymous.status, anonymous.code]).toEqual([401, "missing_token"]);
  const invalid = await link(wallet.body("x"), "a.b.c");
  expect([invalid.status, invalid.code]).toEqual([401, "invalid_token"]);
  const person = await registered(cluster);
  const other = await registered(cluster);
  const bound = () => challenge(wallet, { purpose: "link" }, person.accessToken);
  const asLogin = await login(wallet.body(await bound()));
  expect([asLogin.status, asLogin.code]).toEqual([401, "authentication_failed"]);
  const elsewhere = await link(wallet.body(await bound()), other.accessToken);
  expect([elsewhere.status, elsewhere.code]).toEqual([401, "authentication_failed"]);
  expect((await link(wallet.body(await bound()), person.accessToken)).status).toBe(200);
});

test("a banned account's wallet does not sign in", async () => {
  const wallet = testWallet();
  const { user } = (await signIn(wallet)).body;
  const id = typeof user === "object" && user !== null ? String(Reflect.get(user, "id")) : "";
  const banned = await call(cluster, "BanUser", { userID: id, reason: null, until: null, bannedBy: id });
  expect(banned.text).not.toContain("error");
  const refused = await signIn(wallet);
  expect([refused.status, refused.code]).toEqual([401, "user_banned"]);
});

test("each door counts its visitors", async () => {
  const wallet = testWallet();
  const { accessToken } = await registered(cluster);
  for (const [path, limit] of [
    ["/solana/challenge", 30],
    ["/solana/login", 20],
    ["/solana/link", 12],
  ] as const) {
    const ip = `9.254.${limit}.1`;
    const options = { body: wallet.body("x"), ip, bearer: accessToken };
    for (let i = 0; i < limit; i++) expect((await api(cluster, path, options)).status).not.toBe(429);
    const limited = await api(cluster, path, options);
    expect([limited.status, limited.code]).toEqual([429, "rate_limited"]);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
  }
});
