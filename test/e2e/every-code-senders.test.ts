import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { must, outcome } from "../support/expectation.ts";
import { type Confirmed, confirmed, type Factored, factored } from "../support/factored.ts";
import { unlimited } from "../support/faulty.ts";
import { call, type TestReply } from "../support/http.ts";
import { type TestWallet, testWallet } from "../unit/solana/wallet.ts";

interface People {
  readonly owner: Confirmed;
  /** His mailbox is his second factor, and the wallet the first. */
  readonly member: Factored;
  readonly wallet: TestWallet;
}

/** Has the database, and was served with every sender. */
let first: TestCluster;
let sql: pg.Client;
let people: People;
let cluster: TestCluster;

async function walletBody(wallet: TestWallet, bearer?: string): Promise<unknown> {
  const link = bearer === undefined ? {} : { purpose: "link" };
  const body = { address: wallet.address, ...link };
  const options = bearer === undefined ? { body } : { body, bearer };
  return wallet.body(String(must(await api(cluster, "/solana/challenge", options)).body["message"]));
}

beforeAll(async () => {
  first = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_REGISTRATION_VERIFICATION: "required",
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_SOLANA_NETWORK: "devnet",
    },
  });
  cluster = first;
  sql = new pg.Client({ connectionString: cluster.databaseUrl });
  await sql.connect();
  await call(cluster, "EnsureRootGroup");
  const owner = await confirmed(cluster);
  must(await call(cluster, "AssignRoleBySlug", { userID: owner.id, slug: "owner" }));
  const member = await factored(cluster, sql, "email");
  const wallet = testWallet();
  const bearer = member.accessToken;
  must(await api(cluster, "/solana/link", { bearer, body: await walletBody(wallet, bearer) }));
  people = { owner, member, wallet };
  first.process.kill("SIGTERM");
  await first.exited;
});
afterAll(async () => {
  await sql?.end();
  await first?.stop();
});

/** The same deployment, started again without a sender. */
async function startWithout(sender: "AUTHKIT_MAIL_SENDER" | "AUTHKIT_SMS_SENDER"): Promise<void> {
  const { databaseUrl, url } = first;
  cluster = await startCluster({ databaseUrl, url, env: { ...first.env, [sender]: "none" } });
}

type Attempt = (people: People) => Promise<TestReply>;

function register(identifier: string): Promise<TestReply> {
  const { username, password } = newPerson();
  return api(cluster, "/register", { body: { identifier, username, password } });
}

const passwordless = (identifier: string): Promise<TestReply> =>
  api(cluster, "/passwordless/start", { body: { identifier } });
const recover = ({ owner, member }: People, contact: Record<string, string>): Promise<TestReply> =>
  api(cluster, `/admin/users/${member.id}/recover`, { bearer: owner.accessToken, body: contact });

const withoutMail: Readonly<Record<string, readonly [Attempt, number, string]>> = {
  "POST /register": [() => register(newPerson().email), 500, "email_registration_unavailable"],
  "POST /register/resend-email": [
    () => api(cluster, "/register/resend-email", { body: { email: newPerson().email } }),
    ...([500, "email_unavailable"] as const),
  ],
  "POST /email/verify/request": [
    () => api(cluster, "/email/verify/request", { body: { email: newPerson().email } }),
    ...([500, "email_verification_unavailable"] as const),
  ],
  "POST /email/password/reset/request": [
    () => api(cluster, "/email/password/reset/request", { body: { email: newPerson().email } }),
    ...([500, "email_password_reset_unavailable"] as const),
  ],
  "POST /passwordless/start": [
    () => passwordless(newPerson().email),
    ...([500, "email_verification_unavailable"] as const),
  ],
  "POST /admin/users/{user_id}/recover": [
    (all) => recover(all, { email: newPerson().email }),
    ...([503, "email_sender_unavailable"] as const),
  ],
  "POST /password/login": [
    ({ member: { email, password } }) => api(cluster, "/password/login", { body: { email, password } }),
    ...([500, "2fa_send_failed"] as const),
  ],
  "POST /passwordless/confirm": [
    ({ member: { token } }) => api(cluster, "/passwordless/confirm", { body: { token } }),
    ...([500, "2fa_send_failed"] as const),
  ],
  "POST /2fa/challenge": [
    ({ member: { id, challenge, factorId } }) =>
      api(cluster, "/2fa/challenge", { body: { user_id: id, challenge, factor_id: factorId } }),
    ...([500, "2fa_send_failed"] as const),
  ],
  "POST /step-up/2fa": [
    ({ member: { accessToken: bearer } }) => api(cluster, "/step-up/2fa", { bearer, body: {} }),
    ...([500, "2fa_send_failed"] as const),
  ],
  "POST /solana/login": [
    async ({ wallet }) => api(cluster, "/solana/login", { body: await walletBody(wallet) }),
    ...([500, "2fa_send_failed"] as const),
  ],
};

const withoutSms: typeof withoutMail = {
  "POST /register": [() => register(newPerson().phone), 500, "phone_registration_unavailable"],
  "POST /register/resend-phone": [
    () => api(cluster, "/register/resend-phone", { body: { phone_number: newPerson().phone } }),
    ...([500, "phone_unavailable"] as const),
  ],
  "POST /phone/verify/request": [
    () => api(cluster, "/phone/verify/request", { body: { phone_number: newPerson().phone } }),
    ...([500, "phone_verification_unavailable"] as const),
  ],
  "POST /phone/password/reset/request": [
    () => api(cluster, "/phone/password/reset/request", { body: { phone_number: newPerson().phone } }),
    ...([500, "sms_unavailable"] as const),
  ],
  "POST /passwordless/start": [
    () => passwordless(newPerson().phone),
    ...([500, "phone_verification_unavailable"] as const),
  ],
  "POST /admin/users/{user_id}/recover": [
    (all) => recover(all, { phone_number: newPerson().phone }),
    ...([500, "sms_unavailable"] as const),
  ],
  // What cannot be sent is no method there (spec 21 §3.2).
  "POST /user/2fa": [
    ({ owner: { accessToken: bearer } }) =>
      api(cluster, "/user/2fa", { bearer, body: { method: "sms", phone: newPerson().phone } }),
    ...([400, "invalid_method"] as const),
  ],
};

describe.each([
  ["AUTHKIT_MAIL_SENDER", withoutMail],
  ["AUTHKIT_SMS_SENDER", withoutSms],
] as const)("without %s", (sender, attempts) => {
  beforeAll(() => startWithout(sender));
  afterAll(() => cluster?.stop());

  test.each(Object.entries(attempts))("%s", async (_name, [attempt, status, code]) => {
    expect(outcome(await attempt(people))).toEqual([status, code]);
  });
});
