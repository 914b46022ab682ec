import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import type { UserPrincipal } from "../../../src/core/authentication/principal.ts";
import { hashToken } from "../../../src/core/verification/secrets.ts";
import { systemContext } from "../../../workers/bootstrap.ts";
import type { ConfigOverrides } from "../../support/config.ts";
import { openTestServer, type TestServer } from "../../support/embedded.ts";
import { type TestWallet, testWallet } from "../../unit/solana/wallet.ts";

const context = systemContext("en", "request-1");
const solana = { enabled: true, network: "devnet", domain: "[::1]" } as const;

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    return isAuthError(error) ? error.code : String(error);
  }
}

/** A server of these settings while the tests of the block run. */
function serverOf(overrides: ConfigOverrides = {}): () => TestServer {
  let server: TestServer;
  beforeAll(async () => {
    server = await openTestServer({ solana, ...overrides });
  });
  afterAll(() => server?.close());
  return () => server;
}

async function answer(server: TestServer, wallet: TestWallet, inviteToken?: string) {
  const { message } = await server.core.solana.challenge({ address: wallet.address, inviteToken });
  return wallet.output(message);
}

async function invite(server: TestServer, token: string): Promise<void> {
  const inviter = await server.client().createUser({ email: "", username: "inviter" });
  await server.query(
    `INSERT INTO S.account_registration_invites (id, code_hash, email, invited_by, expires_at)
     VALUES (gen_random_uuid(), $1, $2, $3, now() + interval '1 hour')`,
    [hashToken(token), `${token}@example.com`, inviter.id],
  );
}

describe("open registration", () => {
  const server = serverOf();

  test("the domain of an IPv6 host is written without brackets; session, audit and link are there", async () => {
    const wallet = testWallet();
    const challenge = await server().core.solana.challenge({ address: wallet.address });
    expect(challenge.message.split(" ")[0]).toBe("::1");
    const login = await server().core.solana.login(wallet.output(challenge.message), context);
    expect(login).toMatchObject({ created: true, address: wallet.address, outcome: { kind: "granted" } });
    const [identity] = await server().core.identities.list(login.userId);
    expect(identity).toMatchObject({
      issuer: "solana:devnet",
      provider: "solana",
      subject: wallet.address,
      email: null,
    });
    const [signIn] = await server().core.audit.signIns(login.userId);
    expect(signIn).toMatchObject({ event: "session_created", method: "solana_login" });
    const actions = (await server().core.audit.page({ target: `user:${login.userId}` })).map(
      ({ action }) => action,
    );
    expect(actions).toEqual(["user.created", "provider.linked"]);
  });

  test("a sign-in that is refused is in the history of the wallet's account", async () => {
    const wallet = testWallet();
    const signIn = async () => {
      const { message } = await server().core.solana.challenge({ address: wallet.address });
      return server().core.solana.login(wallet.output(message), context);
    };
    const { userId } = await signIn();
    await server().client().banUser({ userId, reason: null, until: null, bannedBy: "" });
    expect(await codeOf(signIn())).toBe("user_banned");
    const [latest] = await server().core.audit.signIns(userId);
    expect(latest).toMatchObject({ event: "session_failed", method: "solana_login", reason: "user_banned" });
  });

  test("fifty accounts that race for one wallet: one gets it", async () => {
    const wallet = testWallet();
    const people = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        server()
          .client()
          .createUser({ email: "", username: `racer_${i}` }),
      ),
    );
    const outputs = await Promise.all(people.map(() => answer(server(), wallet)));
    const codes = await Promise.all(
      people.map(({ id }, i) => {
        const output = outputs[i];
        if (output === undefined) throw new Error("no output");
        const user: UserPrincipal = {
          ...{ kind: "user", userId: id, sessionId: undefined, authTime: undefined, amr: [], acr: undefined },
          ...{ mfaEnrolled: false, enrollment: false, entitlements: null, claims: {} },
        };
        return codeOf(server().core.solana.link(user, output, context));
      }),
    );
    expect(codes.filter((code) => code === "ok")).toHaveLength(1);
    expect(codes.filter((code) => code === "wallet_already_linked")).toHaveLength(49);
  });

  test("thirty new wallets that want one name: each gets an account, one the name itself", async () => {
    const wallets = Array.from({ length: 30 }, () => testWallet());
    const logins = await Promise.all(
      wallets.map(async (wallet) => {
        const { message } = await server().core.solana.challenge({
          address: wallet.address,
          username: "popular",
        });
        return server().core.solana.login(wallet.output(message), context);
      }),
    );
    expect(logins.every(({ created }) => created)).toBe(true);
    const rows = await server().query("SELECT username::text FROM S.users WHERE id = ANY ($1)", [
      logins.map(({ userId }) => userId),
    ]);
    const names = rows.map(({ username }) => String(username));
    expect(names.filter((name) => name === "popular")).toHaveLength(1);
    expect(names.filter((name) => /^popular_\d{4}$/.test(name)).length).toBeGreaterThanOrEqual(1);
    expect(new Set(names).size).toBe(30);
  });
});

describe("closed registration", () => {
  const server = serverOf({ registration: { mode: "closed" } });

  test("a new wallet gets no account, a linked one signs in", async () => {
    const wallet = testWallet();
    expect(await codeOf(server().core.solana.login(await answer(server(), wallet), context))).toBe(
      "registration_disabled",
    );
    expect(await server().core.identities.find("solana:devnet", wallet.address)).toBeUndefined();
    const { id: userId } = await server().client().createUser({ email: "", username: "known" });
    const identity = {
      userId,
      issuer: "solana:devnet",
      provider: "solana",
      subject: wallet.address,
      email: null,
    };
    await server().core.identities.link(identity, context);
    const login = await server().core.solana.login(await answer(server(), wallet), context);
    expect(login).toMatchObject({ created: false, userId });
  });
});

describe("registration by invite", () => {
  const server = serverOf({ registration: { mode: "invite_only" } });

  test("an invite in the challenge makes one account", async () => {
    await invite(server(), "letmein");
    const wallet = testWallet();
    const login = async (who: TestWallet, token?: string) =>
      codeOf(server().core.solana.login(await answer(server(), who, token), context));
    expect(await login(wallet)).toBe("registration_disabled");
    expect(await login(wallet, "wrong")).toBe("registration_disabled");
    const wallets = [wallet, ...Array.from({ length: 9 }, () => testWallet())];
    const codes = await Promise.all(wallets.map((one) => login(one, "letmein")));
    expect(codes.filter((code) => code === "ok")).toHaveLength(1);
    expect(codes.filter((code) => code === "registration_disabled")).toHaveLength(9);
    expect(await server().query("SELECT count(*)::int AS n FROM S.users")).toEqual([{ n: 2 }]);
  });
});

describe("linking that demands fresh authentication", () => {
  const server = serverOf({ federation: { linkRequiresStepUp: true } });

  test("a stale token is refused before the challenge is spent", async () => {
    const wallet = testWallet();
    const { id: userId } = await server().client().createUser({ email: "", username: "stale" });
    const output = await answer(server(), wallet);
    const at = (authTime: number): UserPrincipal => ({
      ...{ kind: "user", userId, sessionId: undefined, authTime, amr: ["pwd"], acr: undefined },
      ...{ mfaEnrolled: false, enrollment: false, entitlements: null, claims: {} },
    });
    expect(await codeOf(server().core.solana.link(at(1), output, context))).toBe("step_up_required");
    expect(await codeOf(server().core.solana.link(at(Math.floor(Date.now() / 1000)), output, context))).toBe(
      "ok",
    );
  });
});
