import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, newPerson, type Person } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { must, outcome } from "../support/expectation.ts";
import { type Confirmed, confirmed, type Factored, factored } from "../support/factored.ts";
import { unlimited } from "../support/faulty.ts";
import { call, type TestReply } from "../support/http.ts";
import { operatorMade } from "../support/operator-made.ts";
import { refuseMessages } from "../support/refused-messages.ts";

/** People of every kind who are about to be sent something. */
interface People {
  readonly owner: Confirmed;
  /** Whose account is to be taken back. */
  readonly lost: Confirmed;
  /** Their registrations wait. */
  readonly pending: Person;
  /** Accounts an operator made, whose contact is not proven. */
  readonly unproven: Person;
  readonly byEmail: Factored;
  readonly bySms: Factored;
  /** Signed in, with an address that is not proven. */
  readonly unprovenEmail: Confirmed;
}

let cluster: TestCluster;
let sql: pg.Client;
let people: People;

const register = (identifier: string, { username, password }: Person): Promise<TestReply> =>
  api(cluster, "/register", { body: { identifier, username, password } });

/** One account with a mailbox and one with a telephone, both with the same password. */
async function twoUnproven(): Promise<Person> {
  const person = await operatorMade(cluster);
  const { id } = await operatorMade(cluster, { email: "" });
  await sql.query("UPDATE profiles.users SET phone_number = $1 WHERE id = $2", [person.phone, id]);
  return person;
}

async function prepare(): Promise<People> {
  await call(cluster, "EnsureRootGroup");
  const owner = await confirmed(cluster);
  must(await call(cluster, "AssignRoleBySlug", { userID: owner.id, slug: "owner" }));
  const pending = newPerson();
  must(await register(pending.email, pending));
  must(await register(pending.phone, { ...pending, username: `${pending.username}x` }));
  const unprovenEmail = await confirmed(cluster, "phone");
  await sql.query("UPDATE profiles.users SET email = $1 WHERE id = $2", [
    unprovenEmail.email,
    unprovenEmail.id,
  ]);
  return {
    ...{ owner, lost: await confirmed(cluster), pending, unprovenEmail, unproven: await twoUnproven() },
    byEmail: await factored(cluster, sql, "email"),
    bySms: await factored(cluster, sql, "sms"),
  };
}

beforeAll(async () => {
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_REGISTRATION_VERIFICATION: "required",
      AUTHKIT_PASSWORDLESS: "true",
    },
  });
  sql = new pg.Client({ connectionString: cluster.databaseUrl });
  await sql.connect();
  people = await prepare();
  await refuseMessages(sql);
});
afterAll(async () => {
  await sql?.end();
  await cluster?.stop();
});

type Attempt = (people: People) => Promise<TestReply>;

const challenge = ({ id, challenge: text, factorId }: Factored): Promise<TestReply> =>
  api(cluster, "/2fa/challenge", { body: { user_id: id, challenge: text, factor_id: factorId } });
const signIn = ({ token }: Factored): Promise<TestReply> =>
  api(cluster, "/passwordless/confirm", { body: { token } });
const stepUp = ({ accessToken: bearer }: Factored): Promise<TestReply> =>
  api(cluster, "/step-up/2fa", { bearer, body: {} });
const recover = ({ owner, lost }: People, contact: Record<string, string>): Promise<TestReply> =>
  api(cluster, `/admin/users/${lost.id}/recover`, { bearer: owner.accessToken, body: contact });

const mails: Readonly<Record<string, Attempt>> = {
  "POST /register": () => register(newPerson().email, newPerson()),
  "POST /register/resend-email": ({ pending: { email } }) =>
    api(cluster, "/register/resend-email", { body: { email } }),
  "POST /password/login": ({ unproven: { email, password } }) =>
    api(cluster, "/password/login", { body: { email, password } }),
  "POST /password/login, second factor": ({ byEmail: { email, password } }) =>
    api(cluster, "/password/login", { body: { email, password } }),
  "POST /passwordless/confirm": ({ byEmail }) => signIn(byEmail),
  "POST /email/verify/request": ({ unproven: { email } }) =>
    api(cluster, "/email/verify/request", { body: { email } }),
  "POST /email/verify/request, signed in": ({ owner }) =>
    api(cluster, "/email/verify/request", {
      bearer: owner.accessToken,
      body: { email: newPerson().email },
    }),
  "POST /2fa/challenge": ({ byEmail }) => challenge(byEmail),
  "POST /user/2fa": ({ unprovenEmail }) =>
    api(cluster, "/user/2fa", { bearer: unprovenEmail.accessToken, body: { method: "email" } }),
  "POST /step-up/2fa": ({ byEmail }) => stepUp(byEmail),
  "POST /admin/users/{user_id}/recover": (all) => recover(all, { email: newPerson().email }),
};

const texts: Readonly<Record<string, Attempt>> = {
  "POST /register": () => register(newPerson().phone, newPerson()),
  "POST /register/resend-phone": ({ pending: { phone } }) =>
    api(cluster, "/register/resend-phone", { body: { phone_number: phone } }),
  "POST /password/login": ({ unproven: { phone, password } }) =>
    api(cluster, "/password/login", { body: { login: phone, password } }),
  "POST /passwordless/confirm": ({ bySms }) => signIn(bySms),
  "POST /phone/verify/request": ({ unproven: { phone } }) =>
    api(cluster, "/phone/verify/request", { body: { phone_number: phone } }),
  "POST /phone/verify/request, signed in": ({ owner }) =>
    api(cluster, "/phone/verify/request", {
      bearer: owner.accessToken,
      body: { phone_number: newPerson().phone },
    }),
  "POST /2fa/challenge": ({ bySms }) => challenge(bySms),
  "POST /user/2fa": ({ owner }) =>
    api(cluster, "/user/2fa", {
      bearer: owner.accessToken,
      body: { method: "sms", phone: newPerson().phone },
    }),
  "POST /step-up/2fa": ({ bySms }) => stepUp(bySms),
  "POST /admin/users/{user_id}/recover": (all) => recover(all, { phone_number: newPerson().phone }),
};

describe("a message that cannot be handed over", () => {
  test.each(Object.entries(mails))("mail: %s", async (_name, attempt) => {
    expect(outcome(await attempt(people))).toEqual([502, "email_delivery_failed"]);
  });

  test.each(Object.entries(texts))("SMS: %s", async (_name, attempt) => {
    expect(outcome(await attempt(people))).toEqual([502, "sms_delivery_failed"]);
  });

  test.each(["email", "phone"])("is none where the body names nobody: %s", async (channel) => {
    const reply = await api(cluster, `/register/resend-${channel}`, { body: "{" });
    expect(outcome(reply)).toEqual([400, "invalid_request"]);
  });
});
