import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, messagesTo, messageTo, newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type Dweller, doors, settle, throughProvider } from "../support/doors.ts";
import { must, outcome } from "../support/expectation.ts";
import { type OpenHouse, openHouse } from "../support/house.ts";
import type { TestReply } from "../support/http.ts";

/** A server that verifies only, on the database of one that signs. */
let house: OpenHouse;
let signing: TestCluster;
let who: Dweller;
/** Of a sign-in that waits for its second factor. */
let second: { readonly userId: string; readonly challenge: string; readonly code: string };

async function beforeSecondFactor(): Promise<typeof second> {
  const { accessToken: bearer, email, password } = await settle(house);
  const enrol = async (code?: string): Promise<TestReply> =>
    must(await api(signing, "/user/2fa", { bearer, body: { method: "totp", code } }));
  const secret = String((await enrol()).body["secret"]);
  const step = Math.floor(Date.now() / 1000 / totpPeriod);
  const enrolled = await enrol(totpCode(secret, step));
  const { body } = must(await api(signing, "/password/login", { body: { email, password } }));
  const codes = enrolled.body["backup_codes"];
  return {
    userId: String(body["user_id"]),
    challenge: String(body["challenge"]),
    code: Array.isArray(codes) ? String(codes[0]) : "",
  };
}

beforeAll(async () => {
  house = await openHouse((acme) => `limits: { enabled: false }\nproviders:\n  - ${acme}\n`);
  signing = house.cluster;
  who = await settle(house);
  second = await beforeSecondFactor();
  signing.process.kill("SIGTERM");
  await signing.exited;
  const { databaseUrl, url, env } = signing;
  const cluster = await startCluster({ databaseUrl, url, env: { ...env, AUTHKIT_VERIFY_ONLY: "true" } });
  house = { ...house, cluster };
});
afterAll(async () => {
  await house?.cluster.stop();
  await signing?.stop();
  await house?.provider.stop();
});

const failures: Readonly<Record<string, string>> = {
  "password by e-mail": "token_issue_failed",
  passkey: "token_issue_failed",
  provider: "token_issue_failed",
  wallet: "token_issue_failed",
  "refresh token": "token_issue_failed",
};

describe("a server that signs nothing", () => {
  test.each(Object.entries(failures))("%s: %s", async (door, code) => {
    const reply = await doors[door]?.(house, who);
    expect(reply && outcome(reply)).toEqual([500, code]);
  });

  test("takes a code, and has nothing for it", async () => {
    const { cluster } = house;
    const { email: identifier } = who;
    const before = (await messagesTo(cluster, identifier)).length;
    must(await api(cluster, "/passwordless/start", { body: { identifier, mode: "code" } }));
    const { code } = await messageTo(cluster, identifier, before + 1);
    const reply = await api(cluster, "/passwordless/confirm", { body: { identifier, code } });
    expect(outcome(reply)).toEqual([500, "access_token_create_failed"]);
  });

  test("registers whom it cannot sign in", async () => {
    const { email: identifier, username, password } = newPerson();
    const body = { identifier, username, password };
    expect(outcome(await api(house.cluster, "/register", { body }))).toEqual([500, "token_issue_failed"]);
  });

  test("completes no sign-in with a second factor", async () => {
    const { userId: user_id, challenge, code } = second;
    const body = { user_id, challenge, code, backup_code: true };
    expect(outcome(await api(house.cluster, "/2fa/verify", { body }))).toEqual([
      500,
      "token_creation_failed",
    ]);
  });

  test("signs nobody in by the callback of a step-up either", async () => {
    const reply = await throughProvider(house, who.subject, undefined, "step-up/callback");
    expect(outcome(reply)).toEqual([500, "token_issue_failed"]);
  });
});
